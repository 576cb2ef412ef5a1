#include "backup/source.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/base/limits.h"
#include "common/base/mem.h"
#include "common/db/text.h"

#include "common/base/banned.h"

/* One backup of a database at a time; any number that no other program uses. */
#define ADVISORY "7020112401"
#define OTHERS_MS 15000
#define HALVES_BYTES "16777216" /* on disk, from which a table is read in two halves */

/*
 * Every table with rows of its own, its columns and the order in which its rows are stored: by createat
 * where there is one, because what is new then stands together, and by the primary key, in byte order so
 * that no locale of any server matters; except ids behind createat, whose letters every locale sorts alike
 * and for which there is an index. Tables of extensions come with CREATE EXTENSION; the mark of a
 * test copy is never stored.
 */
static const char TABLES[] =
    "SELECT n.nspname, c.relname, a.columns, CASE WHEN a.created THEN 'createat' ELSE '' END AS created, k.ord, k.pos,"
    " pg_catalog.pg_relation_size(c.oid), c.oid::text, c.relkind"
    " FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
    " CROSS JOIN LATERAL (SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) AS columns,"
    "   coalesce(bool_or(attname = 'createat' AND atttypid = 20), false) AS created,"
    "   array_agg(attnum ORDER BY attnum) AS numbers FROM pg_catalog.pg_attribute"
    "   WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped%s) a"
    " CROSS JOIN LATERAL (SELECT string_agg(quote_ident(x.attname) || CASE WHEN x.attcollation <> 0"
    "   AND NOT (x.attname = 'id' AND a.created) THEN ' COLLATE \"C\"' ELSE '' END, ', ' ORDER BY u.ord)"
    "   FILTER (WHERE x.attname <> 'createat') AS ord,"
    "   string_agg((array_position(a.numbers, x.attnum) - 1)::text, ',' ORDER BY x.attnum) AS pos"
    "   FROM pg_catalog.pg_index i CROSS JOIN LATERAL unnest(i.indkey::pg_catalog.int2[]) WITH ORDINALITY u(attnum, ord)"
    "   JOIN pg_catalog.pg_attribute x ON x.attrelid = c.oid AND x.attnum = u.attnum"
    "   WHERE i.indrelid = c.oid AND i.indisprimary AND x.attnum = ANY (a.numbers)) k"
    " WHERE c.relkind IN ('r', 'p') AND c.relpersistence <> 't'"
    " AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'"
    " AND NOT (n.nspname = 'matterark' AND c.relname = 'test_copy')"
    " AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d WHERE d.classid = 'pg_catalog.pg_class'::regclass"
    "   AND d.objid = c.oid AND d.deptype = 'e')"
    " ORDER BY n.nspname COLLATE \"C\", c.relname COLLATE \"C\"";

/*
 * Where large tables are cut in two: in the middle of what the planner knows of createat, which an index has to lead
 * with. It only has to be about the middle. Columns: oid, createat, whether it may be NULL.
 */
static const char MIDDLES[] =
    "SELECT c.oid::text, (h.bounds)[array_length(h.bounds, 1) / 2 + 1], NOT a.attnotnull"
    " FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
    " JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attname = 'createat' AND a.atttypid = 20"
    " JOIN pg_catalog.pg_stats s ON s.schemaname = n.nspname AND s.tablename = c.relname AND s.attname = 'createat'"
    " AND NOT s.inherited CROSS JOIN LATERAL (SELECT s.histogram_bounds::text::int8[] AS bounds) h"
    " WHERE c.relkind = 'r' AND c.relpages > 0 AND pg_catalog.pg_relation_size(c.oid) >= " HALVES_BYTES
    " AND array_length(h.bounds, 1) > 2 AND EXISTS (SELECT FROM pg_catalog.pg_index i"
    " JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid JOIN pg_catalog.pg_am m ON m.oid = x.relam"
    " WHERE i.indrelid = c.oid AND i.indisvalid AND i.indpred IS NULL AND i.indkey[0] = a.attnum"
    " AND m.amname = 'btree')";

/*
 * %I in `t` stands for the name that the database has when it is run; a server that will not take something goes on
 * without it, as psql would. Settings that are lists hold quoted names already.
 * Fact  PostgreSQL src/fe_utils/string_utils.c variable_is_guc_list_quote
 */
static const char EXTRAS[] =
    "WITH db AS (SELECT * FROM pg_catalog.pg_database WHERE datname = current_database()), "
    "settings AS (SELECT s.setrole, split_part(c, '=', 1) AS name, substr(c, strpos(c, '=') + 1) AS value "
    " FROM pg_catalog.pg_db_role_setting s JOIN db ON db.oid = s.setdatabase CROSS JOIN LATERAL unnest(s.setconfig) c), "
    "here AS (SELECT 1 AS n, 'COMMENT ON DATABASE %I IS ' || replace(quote_literal(pg_catalog.shobj_description(oid, "
    " 'pg_database')), '%', '%%') AS t FROM db UNION ALL "
    "SELECT 2, CASE WHEN setrole = 0 THEN 'ALTER DATABASE %I SET ' ELSE 'ALTER ROLE ' || "
    " quote_ident(pg_catalog.pg_get_userbyid(setrole)) || ' IN DATABASE %I SET ' END || replace(quote_ident(name) || ' TO ' || "
    " CASE WHEN lower(name) IN ('local_preload_libraries', 'search_path', 'session_preload_libraries', "
    " 'shared_preload_libraries', 'temp_tablespaces', 'unix_socket_directories') THEN replace(value, '\"\"', '''''') "
    " ELSE quote_literal(value) END, '%', '%%') FROM settings UNION ALL "
    "SELECT 3, 'REVOKE ALL ON DATABASE %I FROM PUBLIC' FROM db WHERE datacl IS NOT NULL UNION ALL "
    "SELECT 4, 'GRANT ' || a.privilege_type || ' ON DATABASE %I TO ' || CASE WHEN a.grantee = 0 THEN 'PUBLIC' ELSE "
    " replace(quote_ident(pg_catalog.pg_get_userbyid(a.grantee)), '%', '%%') END || CASE WHEN a.is_grantable THEN "
    " ' WITH GRANT OPTION' ELSE '' END FROM db CROSS JOIN LATERAL pg_catalog.aclexplode(datacl) a WHERE a.grantee <> datdba), "
    "large AS (SELECT 5 AS n, format('ALTER LARGE OBJECT %s OWNER TO %I;', oid, pg_catalog.pg_get_userbyid(lomowner)) AS t "
    " FROM pg_catalog.pg_largeobject_metadata UNION ALL "
    "SELECT 6, format('GRANT %s ON LARGE OBJECT %s TO %s%s;', a.privilege_type, m.oid, CASE WHEN a.grantee = 0 THEN 'PUBLIC' "
    " ELSE quote_ident(pg_catalog.pg_get_userbyid(a.grantee)) END, CASE WHEN a.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END) "
    " FROM pg_catalog.pg_largeobject_metadata m CROSS JOIN LATERAL pg_catalog.aclexplode(m.lomacl) a "
    " WHERE a.grantee <> m.lomowner UNION ALL "
    "SELECT 7, format('COMMENT ON LARGE OBJECT %s IS %L;', objoid, description) FROM pg_catalog.pg_description "
    " WHERE classoid = 'pg_catalog.pg_largeobject'::regclass) "
    "SELECT n, t FROM large UNION ALL SELECT n, 'DO ' || quote_literal('BEGIN EXECUTE format(' || quote_literal(t) || "
    "', current_database()); EXCEPTION WHEN OTHERS THEN RAISE WARNING ''%'', SQLERRM; END') || ';' FROM here WHERE t IS NOT NULL "
    "ORDER BY 1, 2";

/* Pages of 32 KiB of every large object, as its owner may read them; an empty one has one empty page. */
const char SOURCE_LARGE_SQL[] =
    "COPY (SELECT m.oid, g.n * 32768, lo_get(m.oid, g.n * 32768, 32768) FROM "
    "pg_catalog.pg_largeobject_metadata m CROSS JOIN LATERAL "
    "generate_series(0::int8, greatest(octet_length(lo_get(m.oid)) - 1, 0) / 32768) g(n) "
    "ORDER BY m.oid, g.n) TO STDOUT";

/* A copy that subscribed to another database would go on receiving; foreign rows are elsewhere. */
const char SOURCE_NOT_STORED_SQL[] =
    "SELECT string_agg(what, ', ' ORDER BY what COLLATE \"C\") FROM ("
    "SELECT 'subscription ' || quote_ident(subname) AS what FROM pg_catalog.pg_subscription JOIN pg_catalog.pg_database d "
    "ON d.oid = subdbid WHERE datname = current_database() UNION ALL "
    "SELECT 'rows of foreign table ' || c.oid::regclass FROM pg_catalog.pg_class c WHERE c.relkind = 'f' UNION ALL "
    "SELECT 'rows of ' || c.oid::regclass || ' of extension ' || quote_ident(extname) FROM pg_catalog.pg_extension "
    "CROSS JOIN LATERAL unnest(extconfig) t JOIN pg_catalog.pg_class c ON c.oid = t "
    "WHERE c.relkind = 'r' AND pg_catalog.pg_relation_size(c.oid) > 0) x";

enum { SCHEMA, NAME, COLUMNS, CREATED, ORDER, KEYS, SIZE, OID, KIND };

/* The server needs some seconds to notice that a run was killed: its lock is waited for that long. */
static enum ark_rc lock_out_others(struct source *s, const struct db_options *opt, struct ark_err *err)
{
	for (int waited_ms = 0; waited_ms < OTHERS_MS; waited_ms += 200) {
		ark_auto(db_result_freep) struct db_result *res = NULL;
		enum ark_rc rc = db_query_one(s->conn, "SELECT pg_try_advisory_lock(" ADVISORY ")", DB_NO_PARAMS, &res, err);
		if (rc < 0 || db_bool(res, 0, 0))
			return rc;
		if (opt->interrupted != NULL && opt->interrupted())
			return ark_err_stop(err, ARK_KIND_SIGNAL, "interrupted");
		usleep(200000);
	}
	return ark_err_set(err, ARK_KIND_LOCKED, "another backup of this database runs now");
}

/* It is asked twice for each attempt, and planning it costs as much as its answer. */
static enum ark_rc prepare_list(struct source *s, struct ark_err *err)
{
	char sql[sizeof(TABLES) + 64] = "PREPARE matterark_tables AS ";
	size_t len = strlen(sql);
	snprintf(sql + len, sizeof(sql) - len, TABLES, db_server_version(s->conn) >= 120000 ? " AND attgenerated = ''" : "");
	return db_exec(s->conn, sql, err);
}

enum ark_rc source_open(struct source *s, const char *dsn, const struct db_options *opt,
                        struct ark_err *err)
{
	*s = (struct source){ 0 };
	enum ark_rc rc = db_open(dsn, opt, &s->conn, err);
	if (rc == ARK_OK)
		rc = db_refuse_pooler(s->conn, "a snapshot", err);
	if (rc == ARK_OK)
		rc = prepare_list(s, err);
	return rc < 0 ? rc : lock_out_others(s, opt, err);
}

void source_close(struct source *s)
{
	db_txn_end(&s->txn);
	db_close(s->conn);
	free(s->tables);
	ark_pool_release(&s->pool);
	*s = (struct source){ 0 };
}

static enum ark_rc list_tables(struct source *s, struct db_result **out, struct ark_err *err)
{
	return db_query(s->conn, "EXECUTE matterark_tables", DB_NO_PARAMS, out, err);
}

static bool same_tables(const struct db_result *a, const struct db_result *b)
{
	if (db_rows(a) != db_rows(b))
		return false;
	for (size_t i = 0; i < db_rows(a); i++)
		for (size_t k = 0; k < db_cols(a); k++)
			if (k != SIZE && !ark_str_eq(db_value(a, i, k), db_value(b, i, k)))
				return false;
	return true;
}

static void lock_sql(const struct db_result *tables, struct ark_buf *sql)
{
	ark_buf_z(sql, "LOCK TABLE ");
	for (size_t i = 0; i < db_rows(tables); i++) {
		if (i > 0)
			ark_buf_z(sql, ", ");
		/* partitions are locked by their own names */
		ark_buf_z(sql, "ONLY ");
		db_ident(sql, db_value(tables, i, SCHEMA));
		ark_buf_c(sql, '.');
		db_ident(sql, db_value(tables, i, NAME));
	}
	ark_buf_z(sql, " IN ACCESS SHARE MODE");
}

static void read_key(struct ark_str positions, struct segment_key *key)
{
	*key = (struct segment_key){ .count = 0 };
	while (positions.len > 0 && key->count < SEGMENT_KEY_MAX) {
		uint64_t n = 0;
		size_t comma = ark_str_find(positions, ',', 0);
		if (!ark_str_u64(ark_str_first(positions, comma), &n))
			return;
		key->fields[key->count++] = (size_t)n;
		positions = comma == SIZE_MAX ? ark_str_from(positions, positions.len) :
		                                ark_str_from(positions, comma + 1);
	}
}

static struct ark_str order_of(struct source *s, const struct db_result *res, size_t i)
{
	struct ark_str created = db_value(res, i, CREATED), key = db_value(res, i, ORDER);
	ark_auto(ark_buf_release) struct ark_buf text = { 0 };
	ark_buf_init(&text, LIMIT_SQL);
	/* without a key createat alone would order nothing for sure */
	if (!ark_str_has(key))
		return ARK_LIT("");
	ark_buf_str(&text, created);
	ark_buf_z(&text, created.len > 0 ? ", " : "");
	ark_buf_str(&text, key);
	return ark_pool_str(&s->pool, ark_buf_view(&text));
}

static void keep_middle(struct source_table *t, struct ark_str oid, const struct db_result *middles)
{
	for (size_t i = 0; i < db_rows(middles); i++) {
		if (!ark_str_eq(db_value(middles, i, 0), oid))
			continue;
		t->halves = ark_str_starts(t->order, ARK_LIT("createat, "));
		t->middle = db_i64(middles, i, 1);
		t->nulls = db_bool(middles, i, 2);
	}
}

static void keep_tables(struct source *s, const struct db_result *res, const struct db_result *middles)
{
	free(s->tables);
	ark_pool_release(&s->pool);
	s->pool = (struct ark_pool){ 0 };
	s->tables = ark_calloc(db_rows(res) + 1, sizeof(*s->tables));
	s->table_count = 0;
	for (size_t i = 0; i < db_rows(res); i++) {
		/* a partitioned table's rows are in its partitions; one without columns has nothing to read */
		if (ark_str_eqz(db_value(res, i, KIND), "p") || db_null(res, i, COLUMNS))
			continue;
		struct source_table *t = &s->tables[s->table_count++];
		t->schema = ark_pool_str(&s->pool, db_value(res, i, SCHEMA));
		t->name = ark_pool_str(&s->pool, db_value(res, i, NAME));
		t->columns = ark_pool_str(&s->pool, db_value(res, i, COLUMNS));
		t->order = order_of(s, res, i);
		t->weight = (uint64_t)db_i64(res, i, SIZE);
		read_key(db_value(res, i, KEYS), &t->key);
		keep_middle(t, db_value(res, i, OID), middles);
	}
}

/* 55P03 lock_not_available, 40P01 deadlock, 42P01 and 3F000 gone since it was listed, 42703 a column. */
static bool tables_move(const struct db_conn *conn)
{
	static const char *const CODES[] = { "55P03", "40P01", "42P01", "3F000", "42703" };
	for (size_t i = 0; i < sizeof(CODES) / sizeof(CODES[0]); i++)
		if (strcmp(db_sqlstate(conn), CODES[i]) == 0)
			return true;
	return false;
}

static enum ark_rc freeze(struct source *s, const struct db_result *tables, int64_t lock_wait_s,
                          struct ark_err *err)
{
	ark_auto(ark_buf_release) struct ark_buf sql = { 0 };
	ark_auto(db_result_freep) struct db_result *again = NULL, *one = NULL, *middles = NULL;
	char wait[64];
	ark_buf_init(&sql, LIMIT_SQL);
	enum ark_rc rc = db_txn_begin(&s->txn, s->conn, "ISOLATION LEVEL REPEATABLE READ, READ ONLY", err);
	snprintf(wait, sizeof(wait), "SET LOCAL lock_timeout = '%llds'", (long long)lock_wait_s);
	if (rc == ARK_OK)
		rc = db_exec(s->conn, wait, err);
	if (rc == ARK_OK && db_rows(tables) > 0) {
		lock_sql(tables, &sql);
		rc = ark_buf_ok(&sql, "the statement that locks all tables", err);
		if (rc == ARK_OK)
			rc = db_exec(s->conn, sql.data, err);
	}
	if (rc < 0)
		return rc;
	/* the first query freezes the snapshot, after the locks: a TRUNCATE in between cannot go unseen */
	rc = db_query_one(s->conn,
	                  "SELECT pg_export_snapshot(), (extract(epoch FROM clock_timestamp()) * 1000)::int8, "
	                  "(SELECT count(*) FROM pg_catalog.pg_largeobject_metadata)", DB_NO_PARAMS, &one, err);
	if (rc == ARK_OK)
		rc = list_tables(s, &again, err);
	if (rc == ARK_OK)
		rc = db_query(s->conn, MIDDLES, DB_NO_PARAMS, &middles, err);
	if (rc < 0)
		return rc;
	if (!same_tables(tables, again))
		return ARK_END;
	snprintf(s->snapshot, sizeof(s->snapshot), "%.*s", ARK_FMT(db_value(one, 0, 0)));
	s->taken_ms = db_i64(one, 0, 1);
	s->large_objects = (uint64_t)db_i64(one, 0, 2);
	keep_tables(s, again, middles);
	return ARK_OK;
}

enum ark_rc source_freeze(struct source *s, int64_t lock_wait_s, struct ark_err *err)
{
	ark_auto(db_result_freep) struct db_result *tables = NULL;
	enum ark_rc rc = list_tables(s, &tables, err);
	if (rc < 0)
		return rc;
	rc = freeze(s, tables, lock_wait_s, err);
	if (rc == ARK_FAIL && tables_move(s->conn))
		rc = ARK_END;
	if (rc != ARK_OK)
		db_txn_end(&s->txn);
	return rc;
}

/* where  "" for all rows */
static const char *copy_sql(const struct source_table *t, struct ark_pool *pool, const char *where)
{
	ark_auto(ark_buf_release) struct ark_buf sql = { 0 };
	ark_buf_init(&sql, LIMIT_SQL);
	ark_buf_fmt(&sql, "COPY (SELECT %.*s FROM ONLY ", ARK_FMT(t->columns));
	db_ident(&sql, t->schema);
	ark_buf_c(&sql, '.');
	db_ident(&sql, t->name);
	ark_buf_z(&sql, where);
	if (t->order.len > 0)
		ark_buf_fmt(&sql, " ORDER BY %.*s", ARK_FMT(t->order));
	ark_buf_z(&sql, ") TO STDOUT");
	return ark_pool_str(pool, ark_buf_view(&sql)).ptr;
}

void source_reading(const struct source_table *t, struct ark_pool *pool, const char **first, const char *second[2])
{
	char where[64];
	second[0] = second[1] = NULL;
	if (!t->halves) {
		*first = copy_sql(t, pool, "");
		return;
	}
	snprintf(where, sizeof(where), " WHERE createat < %lld", (long long)t->middle);
	*first = copy_sql(t, pool, where);
	snprintf(where, sizeof(where), " WHERE createat >= %lld", (long long)t->middle);
	second[0] = copy_sql(t, pool, where);
	if (t->nulls)
		second[1] = copy_sql(t, pool, " WHERE createat IS NULL");
}

enum ark_rc source_extras(struct source *s, struct ark_buf *out, struct ark_err *err)
{
	ark_auto(db_result_freep) struct db_result *res = NULL;
	enum ark_rc rc = db_query(s->conn, EXTRAS, DB_NO_PARAMS, &res, err);
	for (size_t i = 0; rc == ARK_OK && i < db_rows(res); i++) {
		ark_buf_str(out, db_value(res, i, 1));
		ark_buf_c(out, '\n');
	}
	return rc < 0 ? rc : ark_buf_ok(out, "what belongs to the database", err);
}

enum ark_rc source_waited_for(struct source *s, bool *waited, struct ark_err *err)
{
	ark_auto(db_result_freep) struct db_result *res = NULL;
	enum ark_rc rc = db_query_one(s->conn,
	                              "SELECT EXISTS (SELECT FROM pg_catalog.pg_locks l WHERE NOT l.granted AND "
	                              "pg_catalog.pg_backend_pid() = ANY (pg_catalog.pg_blocking_pids(l.pid)))",
	                              DB_NO_PARAMS, &res, err);
	*waited = rc == ARK_OK && db_bool(res, 0, 0);
	return rc;
}

enum ark_rc source_thaw(struct source *s, struct ark_err *err)
{
	return db_txn_commit(&s->txn, err);
}
