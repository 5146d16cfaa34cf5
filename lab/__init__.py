"""How anything is run: run store, sweeps, manifest, progress, random streams, the flow integrator.

``dir(lab)`` shows what a script may use; the rest is for the rooms. This room imports nothing from the other rooms.
"""

from lab.discover import lazy

__version__ = "0.1.0"

__getattr__, __dir__, __all__ = lazy(__name__, {
    ".errors": ["ArgumentError", "InputError"],
    ".estimate": ["Estimate", "exact", "mean_interval", "share_interval"],
    ".results": ["Results"],
    ".store": ["RunStore"],
    ".streams": ["generator"],
    ".study": ["Study", "compute"],
    ".tables": ["Table", "read_table", "write_table"],
})
