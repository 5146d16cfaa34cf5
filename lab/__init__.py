"""How anything is run: run store, sweeps, manifest, progress, random streams, the flow integrator.

This room imports nothing from the other rooms.
"""
