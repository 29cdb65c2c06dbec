"""Evaluate a stack of convolutions only in the cells where its output is wanted.

The steps, each in a module of its own and none importing a later one: `strips` cuts the grid,
`reach` finds the columns that each layer needs, `layout` places them side by side in one image,
`lookup` finds a cell of the grid in that image, `plan` combines these into index lists, and
`evaluate` runs the network along them. docs/development/atlas.md explains them with a drawing.
"""
