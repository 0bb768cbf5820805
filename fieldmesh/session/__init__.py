"""The sync session as a table that both sides share. No input or output.

transitions    who may say what in which state, and how often
machine        one session as one side sees it; refuses what does not belong there
device_side    the device's end
gateway_side   the gateway's end
"""
