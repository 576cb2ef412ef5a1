#include "common/mm/state.h"

#include "common/base/banned.h"

#define PENDING                                                                                  \
	"CREATE TABLE IF NOT EXISTS matterark.pending (\n"                                       \
	"	run integer NOT NULL,\n"                                                              \
	"	kind text NOT NULL,\n"                                                                \
	"	id varchar(26) NOT NULL,\n"                                                           \
	"	at bigint NOT NULL,\n"                                                                \
	"	what jsonb NOT NULL,\n"                                                               \
	"	PRIMARY KEY (run, kind, id));\n"

/* `matterark` may be dropped as a whole: Mattermost's own tables do not know of it. */
static const char CREATE[] =
    "CREATE SCHEMA IF NOT EXISTS matterark;\n"
    "CREATE TABLE IF NOT EXISTS matterark.run (\n"
    "	run_no integer NOT NULL,\n"
    "	run text NOT NULL,\n"
    "	workspace text NOT NULL,\n"
    "	team_id varchar(26) NOT NULL,\n"
    "	started bigint NOT NULL,\n"
    "	finished bigint NOT NULL,\n"
    "	tool text NOT NULL,\n"
    "	archives jsonb NOT NULL,\n"
    "	options jsonb NOT NULL,\n"
    "	counts jsonb NOT NULL,\n"
    "	undone bigint);\n"
    "CREATE TABLE IF NOT EXISTS matterark.slack_user (\n"
    "	workspace text NOT NULL,\n"
    "	slack_id text NOT NULL,\n"
    "	user_id varchar(26) NOT NULL,\n"
    "	matched boolean NOT NULL,\n"
    "	run integer NOT NULL);\n"
    "CREATE TABLE IF NOT EXISTS matterark.slack_channel (\n"
    "	workspace text NOT NULL,\n"
    "	slack_id text NOT NULL,\n"
    "	channel_id varchar(26) NOT NULL,\n"
    "	run integer NOT NULL,\n"
    "	newest_us bigint NOT NULL,\n"
    "	displayname text NOT NULL,\n"
    "	header text NOT NULL,\n"
    "	purpose text NOT NULL,\n"
    "	archived bigint NOT NULL);\n"
    "CREATE TABLE IF NOT EXISTS matterark.slack_post (\n"
    "	post_id varchar(26) NOT NULL,\n"
    "	channel_id varchar(26) NOT NULL,\n"
    "	ts bigint NOT NULL,\n"
    "	ordinal integer NOT NULL,\n"
    "	part smallint NOT NULL,\n"
    "	run integer NOT NULL,\n"
    "	source uuid NOT NULL,\n"
    "	written uuid NOT NULL,\n"
    "	note text);\n"
    "CREATE TABLE IF NOT EXISTS matterark.slack_reaction (\n"
    "	post_id varchar(26) NOT NULL,\n"
    "	user_id varchar(26) NOT NULL,\n"
    "	emoji varchar(64) NOT NULL);\n"
    "CREATE TABLE IF NOT EXISTS matterark.slack_file (\n"
    "	workspace text NOT NULL,\n"
    "	slack_id text NOT NULL,\n"
    "	file_id varchar(26) NOT NULL,\n"
    "	post_id varchar(26) NOT NULL,\n"
    "	place smallint NOT NULL,\n"
    "	name text NOT NULL,\n"
    "	mime text NOT NULL,\n"
    "	size bigint NOT NULL,\n"
    "	may_be_html boolean NOT NULL,\n"
    "	link text NOT NULL,\n"
    "	note text NOT NULL,\n"
    "	state text NOT NULL,\n"
    "	reason text,\n"
    "	run integer NOT NULL,\n"
    "	attached boolean NOT NULL DEFAULT false,\n"
    "	stored_size bigint,\n"
    "	path text,\n"
    "	thumbnail text NOT NULL DEFAULT '',\n"
    "	preview text NOT NULL DEFAULT '',\n"
    "	has_preview boolean NOT NULL DEFAULT false,\n"
    "	width integer NOT NULL DEFAULT 0,\n"
    "	height integer NOT NULL DEFAULT 0,\n"
    "	mini bytea);\n"
    "CREATE TABLE IF NOT EXISTS matterark.slack_adopted (\n"
    "	derived_id varchar(26) NOT NULL,\n"
    "	post_id varchar(26) NOT NULL,\n"
    "	run integer NOT NULL);\n"
    "CREATE TABLE IF NOT EXISTS matterark.change (\n"
    "	no bigint GENERATED ALWAYS AS IDENTITY,\n"
    "	run integer NOT NULL,\n"
    "	tbl text NOT NULL,\n"
    "	key text[] NOT NULL,\n"
    "	before jsonb,\n"
    "	after jsonb);\n" PENDING;

#define KEY_SQL(table, columns)                                                                 \
	"DO $$ BEGIN IF NOT EXISTS (SELECT 1 FROM pg_constraint WHERE contype = 'p' "            \
	"AND conrelid = 'matterark." table "'::regclass) THEN ALTER TABLE matterark." table      \
	" ADD PRIMARY KEY (" columns "); END IF; END $$"

static const char *const KEY_STATEMENTS[] = {
	KEY_SQL("slack_post", "post_id"),
	KEY_SQL("slack_reaction", "post_id, user_id, emoji"),
	KEY_SQL("slack_user", "workspace, slack_id"),
	KEY_SQL("slack_channel", "workspace, slack_id"),
	KEY_SQL("run", "run_no"),
	KEY_SQL("slack_adopted", "derived_id"),
	KEY_SQL("change", "run, no"),
	KEY_SQL("slack_file", "file_id"),
	"CREATE INDEX IF NOT EXISTS slack_file_by_slack_id ON matterark.slack_file (slack_id)",
	"CREATE INDEX IF NOT EXISTS slack_file_by_post ON matterark.slack_file (post_id)",
	("CREATE INDEX IF NOT EXISTS slack_file_waiting ON matterark.slack_file (post_id) "
	 "WHERE state = 'stored' AND NOT attached"),
};

enum ark_rc mm_state_create(struct db_conn *conn, struct ark_err *err)
{
	return db_exec(conn, CREATE, err);
}

static enum ark_rc has_table(struct db_conn *conn, const char *name, bool *out, struct ark_err *err)
{
	ark_auto(db_result_freep) struct db_result *res = NULL;
	enum ark_rc rc = db_query_one(conn, "SELECT to_regclass($1) IS NOT NULL", DB_PARAMS(ark_str_z(name)), &res, err);
	if (rc == ARK_OK)
		*out = db_bool(res, 0, 0);
	return rc;
}

/* Looked for first: making something needs rights that who only adds rows may not have. */
enum ark_rc mm_state_upgrade(struct db_conn *conn, struct ark_err *err)
{
	bool has = false;
	enum ark_rc rc = mm_state_has_pending(conn, &has, err);
	return rc < 0 || has ? rc : db_exec(conn, PENDING, err);
}

enum ark_rc mm_state_has_pending(struct db_conn *conn, bool *out, struct ark_err *err)
{
	return has_table(conn, "matterark.pending", out, err);
}

size_t mm_state_key_count(void)
{
	return sizeof(KEY_STATEMENTS) / sizeof(KEY_STATEMENTS[0]);
}

const char *mm_state_key_sql(size_t n)
{
	return KEY_STATEMENTS[n];
}

enum ark_rc mm_state_keys(struct db_conn *conn, struct ark_err *err)
{
	for (size_t i = 0; i < mm_state_key_count(); i++) {
		enum ark_rc rc = db_exec(conn, KEY_STATEMENTS[i], err);
		if (rc < 0)
			return rc;
	}
	return ARK_OK;
}

enum ark_rc mm_state_exists(struct db_conn *conn, bool *out, struct ark_err *err)
{
	return has_table(conn, "matterark.slack_post", out, err);
}
