"""The embedded data set: figures like people, rendered from a seed, with known errors.

It has Market-1501's layout, needs no download and is made for trying things out in minutes: identities that
look alike, cameras that differ, near-duplicates as consecutive frames make them, wrong labels and outliers that
``truth.csv`` names.
"""

from fastreid_prune.lab.demo.writer import Summary, write_demo

__all__ = ["Summary", "write_demo"]
