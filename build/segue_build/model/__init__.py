"""From the canonical table to points of the space, cells and clusters, and what playlists teach beside the table.

Everything here is the same on every processor: whole numbers where sums are compared, float64 where it is rounded.
It may import segue_build.sources.
"""
