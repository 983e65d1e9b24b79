"""`make soak`: random work under random faults, until the doctor has the last word."""
