"""Who this gateway is and whom it believes: its own keys, devices' certificates, people's sign-ins.

``certificates`` the identity folder · ``enrolment`` asking the hub for it · ``revocations`` what a
device's certificate is worth · ``signin`` passwords without the hub.
"""
