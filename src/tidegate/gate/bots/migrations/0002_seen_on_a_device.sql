-- An undo reaches every account that was seen on its device.
create index decision_of_device on bots.decision (device) where device <> '';
