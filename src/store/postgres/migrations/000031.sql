-- What the receiver of an alarm said that it will say again.
alter table alarms add column refused text;
