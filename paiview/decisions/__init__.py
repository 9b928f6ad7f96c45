"""Decisions: is a version better than its baseline, and may it be approved?"""
