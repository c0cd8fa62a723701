"""A simulated country: its factories send what real ones would, and a file says what the API must return for them.

``country`` has the figures that it is modelled on, ``fleet`` its factories and machines, ``cohorts`` how these change.
``workday`` plans a machine's day and its rows, ``mishaps`` what goes wrong with them, and ``source`` gives what a
factory sends between two instants. ``registration`` registers the fleet, ``simulation`` sends its data, ``progress``
keeps how far. ``machine_truth`` computes what one machine's rows come to, and ``truth`` adds that up into the file.
"""
