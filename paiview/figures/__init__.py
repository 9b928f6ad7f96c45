"""Frames and decisions to pictures: ``*_info`` computes everything and says what is not shown, the rest only draws.

The rules of all: own y range a panel, no colour without a known direction, better is blue, and the shape of a
mark shows its state or status as well as its colour does. Colours, marks and labels: ``style``.
"""
