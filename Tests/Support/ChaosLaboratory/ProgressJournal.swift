package import Postgres  // The connection that is looked through.

/// A trigger's record of every change of `ops.partition_progress`: who wrote under which epoch.
package enum ProgressJournal {
    /// What an operator's commands are called in it; they alone may move an offset backwards.
    package static let operatorTag = "operator"

    /// Sequence numbers follow the order of commits, since the row's lock is held from the trigger to the commit.
    package static let schema = """
        CREATE SCHEMA laboratory;
        CREATE TABLE laboratory.journal (
            number bigserial PRIMARY KEY, writer text, consumer_group text, topic text, partition integer,
            epoch bigint, owner uuid, old_next bigint, new_next bigint, at timestamptz DEFAULT clock_timestamp());
        CREATE FUNCTION laboratory.note() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
        BEGIN
            INSERT INTO laboratory.journal
                (writer, consumer_group, topic, partition, epoch, owner, old_next, new_next)
            VALUES (coalesce(current_setting('laboratory.tag', true), ''), new.consumer_group, new.topic,
                new.partition, new.epoch, new.owner, CASE TG_OP WHEN 'UPDATE' THEN old.next_offset END,
                new.next_offset);
            RETURN NULL;
        END $$;
        CREATE TRIGGER note AFTER INSERT OR UPDATE ON ops.partition_progress
            FOR EACH ROW EXECUTE FUNCTION laboratory.note()
        """

    /// What the journal must never show: a step that does not begin where the last one ended, an epoch that goes
    /// back or is skipped, an epoch in which two services or two owners wrote, an offset moved by a take-over.
    package static func faults(_ connection: inout Connection) throws -> [String] {
        // A service that made the schema itself wrote without it.
        if try connection.query("SELECT to_regclass('laboratory.journal')").isNull(0, 0) { return [] }
        let found = try connection.query(
            """
            WITH step AS (
                SELECT *, lag(new_next) OVER w AS last_next, lag(epoch) OVER w AS last_epoch,
                    lag(writer) OVER w AS last_writer, lag(owner) OVER w AS last_owner
                FROM laboratory.journal
                WINDOW w AS (PARTITION BY consumer_group, topic, partition ORDER BY number)
            )
            SELECT topic || '[' || partition || '] step ' || number || ': epoch ' || coalesce(last_epoch, 0) || ' -> '
                || epoch || ', ' || coalesce(last_writer, '') || ' -> ' || writer || ', offsets '
                || coalesce(last_next, -1) || ' | ' || coalesce(old_next, -1) || ' -> ' || new_next
            FROM step
            WHERE last_epoch IS NOT NULL AND (
                old_next IS DISTINCT FROM last_next
                OR epoch NOT IN (last_epoch, last_epoch + 1)
                OR (epoch = last_epoch AND (writer <> last_writer OR owner IS DISTINCT FROM last_owner))
                OR (epoch = last_epoch AND new_next <= old_next)
                OR (epoch > last_epoch AND new_next <> old_next AND writer <> '\(operatorTag)'))
            ORDER BY number LIMIT 5
            """)
        return (0..<found.rowCount).map { "journal: " + found.text($0, 0) }
    }

    /// The writers of the newest step of each partition of a group.
    package static func owners(
        _ connection: inout Connection, group: String
    ) throws -> [Int: (writer: String, epoch: Int64)] {
        let found = try connection.query(
            """
            SELECT DISTINCT ON (partition) partition, writer, epoch FROM laboratory.journal
            WHERE consumer_group = $1 ORDER BY partition, number DESC
            """, [group])
        var owners: [Int: (writer: String, epoch: Int64)] = [:]
        for row in 0..<found.rowCount {
            owners[Int(found.int64(row, 0))] = (found.text(row, 1), found.int64(row, 2))
        }
        return owners
    }
}
