-- Which statuses the runs of a job have, so that a list of a job's failures is not looked for among all of its runs when there are none.
create statistics runs_status_of_job (mcv) on job, status from runs;
