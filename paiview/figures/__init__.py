"""Frames and decisions to pictures: ``*_info`` computes everything and says what is not shown, the rest only draws.

The rules of all: own y range a panel, no colour without a known direction, better is blue, and state and status are
told by the mark's shape as well as its colour. Colours, marks and labels: ``style``.
"""
