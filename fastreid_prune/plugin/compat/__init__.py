"""The changes made to fastreid and torch from outside, so that fastreid 1.4.0 runs, and learns, on today's versions.

One file a subject, one :class:`.patch.Patch` a change; :func:`.apply.apply_patches` applies them.
"""
