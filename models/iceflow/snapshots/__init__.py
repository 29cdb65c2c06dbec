"""Training snapshots: states of glaciers with the velocities that an instructor found for them.

A file is NetCDF-4 after the CF conventions 1.10, on one north-up grid in metres, and holds any
number of states along the dimension ``state``. Its variables, single precision but for those
along ``state`` alone:

| variable | dimensions | unit | what |
|---|---|---|---|
| ``thk`` | state, y, x | m | ice thickness h, 0 without ice |
| ``usurf`` | state, y, x | m | surface elevation s, with and without ice |
| ``arrhenius`` | state, y, x | MPa-3 year-1 | rate factor A of Glen's law, n = 3 |
| ``slidingco`` | state, y, x | km MPa-3 year-1 | c of Weertman's law u_b = c τ_b³, 0 = no sliding |
| ``ubar``, ``vbar`` | state, y, x | m year-1 | velocity averaged over depth, east and north |
| ``uvelbase``, ``vvelbase`` | state, y, x | m year-1 | velocity at the bed; may be absent |
| ``uvelsurf``, ``vvelsurf`` | state, y, x | m year-1 | velocity at the surface; may be absent |
| ``model_year``, ``time`` | state | year; a date | when; states of several runs repeat years |
| ``run`` | state | | which run (scenario or file) a state is of; may be blank |
| ``residual`` | state | 1 | imbalance of forces over the driving stress; NaN = not known |
| ``cell_size`` | | m | edge of a cell |
| ``x``, ``y``, ``crs`` | | m | cell centres and grid mapping, y descending: row 0 is the north |

Velocities are 0 where there is no ice, and no field has gaps. The global attribute ``instructor``
names the model that found the velocities; all parameters of the run are attributes, too.
"""
