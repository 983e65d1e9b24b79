"""Stands for the libraries of a trade: importing it takes a while."""

import time

time.sleep(2.5)
