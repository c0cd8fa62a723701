"""What machines that speak MTConnect report: from lines of SHDR and device models to states and pieces. Pure.

``model`` is what is known of a machine's data items: ``devices`` reads it from a ``Devices.xml`` (by ``document``,
``declarations``, ``roles``, ``metrics`` and ``units``), ``dialects`` has ready-made ones. ``lines`` reads a line with
``tokenizer``, ``fields`` and ``shapes``, in the words of ``vocabulary``, into ``observations``; what cannot be used
goes into ``problems``. ``head`` finds the old values that a connection begins with. ``machine`` derives states,
``part_counts`` pieces, of which each ``counter`` judges its own.

Nothing here reads a file, a clock or a setting, so a live connection can feed it as well as a log.
"""
