-- Batches of counted calls that are not in the counters yet: written before their calls are let through, folded into the
-- counters together and taken out in the same transaction. An empty batch keeps its sequence from being used by a straggler.
CREATE TABLE usage_journal (
    writer TEXT NOT NULL,
    sequence INTEGER NOT NULL,
    batch TEXT NOT NULL,
    PRIMARY KEY (writer, sequence)
) STRICT, WITHOUT ROWID;
