"""The device agent: the working set of one position, on a device that may be offline all day.

What belongs here: everything that runs on a rep's, merchandiser's or technician's device, and
nothing that decides for the company.  An application embeds `device_agent.app.DeviceAgent`; a
person uses `fieldmesh-device` (`device_agent.cli`).

    work/     what a person does: documents, numbers, sign-in; works with no network, ever
    storage/  the encrypted database: capture, outbox, ticks, applying, swapping
    link/     the wire: sessions, choice of gateway, enrolment, blobs, files carried by hand
    modes/    one file per sync mode, each the whole story in one function
    app       what an application embeds        cli  what a person types

    work ──SQL──▶ storage/outbox ──▶ modes ──▶ link ══gRPC══▶ gateway
                  storage/rows   ◀── modes ◀── link ◀══════════
"""
