-- Lines of Pomerium's log in a checkpoint: digests of pieces of the table.
alter table checkpoints add column lines json not null default '[]';
