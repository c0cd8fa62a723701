from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager

def instrument_imports(include: Sequence[str] = ..., exclude: Sequence[str] = ...) -> AbstractContextManager[None]: ...
def Setup(  # noqa: N802
    arguments: Sequence[str],
    test_one_input: Callable[[bytes], None],
    custom_mutator: Callable[[bytes, int, int], bytes] = ...,
) -> Sequence[str]: ...
def Fuzz() -> None: ...  # noqa: N802
def Mutate(data: bytes, max_size: int) -> bytes: ...  # noqa: N802
