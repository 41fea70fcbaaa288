"""The order receiver: takes Norce Commerce's CreateOrder call, stores the order once and acknowledges it.

Start reading in `receiver.flows`, which lists everything the system does, one file each.
"""
