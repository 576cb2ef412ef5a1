/*
 * Where the data is: which database, which file store, and who said so. One answer for all tools.
 *
 * First that says it wins, as a whole; database and files come from different ranks only when both
 * were said explicitly:
 *	1, 2  options, MATTERARK_*, the tools' own configuration files (struct mm_said)
 *	3     the environment as Mattermost reads it: MM_CONFIG, MM_SQLSETTINGS_DATASOURCE,
 *	      MM_FILESETTINGS_*
 *	4     Mattermost's config.json, where it is usually; when that names a database as the place of
 *	      the configuration, the active row of `configurations` there
 *	5     for a tool that may, the embedded database
 *
 * Opens no data; connects only to read a configuration that is kept in a database.
 * Fact  docs/mattermost-facts.md "Configuration"
 */
#ifndef ARK_MM_WHERE_H
#define ARK_MM_WHERE_H

#include <stdbool.h>

#include "common/base/buf.h"
#include "common/base/err.h"
#include "common/db/conn.h"
#include "common/json/small.h"

#define MM_CONFIG_USUAL "/opt/mattermost/config/config.json"
#define MM_CONFIG_HERE "config/config.json"

/* One thing that somebody may have said explicitly. */
struct mm_said {
	const char *value;  /* NULL: nobody did */
	int rank;           /* higher wins */
	const char *origin; /* "command line", "environment MATTERARK_DATABASE" */
};

struct mm_where_input {
	struct mm_said database; /* data source name */
	struct mm_said files;    /* folder or s3://BUCKET/PREFIX */
	struct mm_said config;   /* path of config.json, or a postgres:// name as in MM_CONFIG */
	struct mm_said embedded; /* folder; "" is the default one */
	bool embedded_default;   /* the embedded database when nothing says another place */
	bool writes;             /* MM_CONFIG_HERE is not looked at */
	bool optional;           /* no error when no database is found */
	char *const *environ;    /* NULL-ended NAME=VALUE; NULL: not looked at */
	const char *config_usual; /* instead of MM_CONFIG_USUAL; for tests */
	const struct db_options *db; /* for reading `configurations` */
};

enum mm_where_kind {
	MM_WHERE_NONE,
	MM_WHERE_DATABASE,
	MM_WHERE_EMBEDDED,
};

enum mm_files_kind {
	MM_FILES_NONE,
	MM_FILES_LOCAL,
	MM_FILES_S3,
	MM_FILES_EMBEDDED, /* the folder beside the embedded database, db_embedded_files */
};

/* Strings are never NULL; empty where nothing was said. */
struct mm_files {
	enum mm_files_kind kind;
	char *path;   /* LOCAL: the folder; S3: the prefix */
	char *bucket; /* S3, and the rest too */
	char *region;
	char *endpoint;
	char *access_key;
	char *secret_key;
	bool plain_http;
	char *origin;  /* who said it */
	char *problem; /* NONE: why it is not known */
};

struct mm_where {
	enum mm_where_kind kind;
	char *dsn;                 /* for db_open, with its password; NULL unless DATABASE */
	char *dsn_masked;          /* for people; NULL unless DATABASE */
	char *embedded_dir;        /* as said; NULL: the default; only for EMBEDDED */
	char *origin;              /* who said it */
	struct mm_files files;
	struct json_small *config; /* Mattermost's configuration when it was read, else NULL */
	char *config_origin;       /* NULL without one */
};

/*
 * out  `= {0}` before; release with mm_where_release, also after a failure
 * FAIL: USAGE (database and embedded said at the same rank; unreadable names), MISSING (nothing says
 * where the database is; a named configuration is not there), REFUSED (a configuration that may not
 * be read, or one of a MySQL installation).
 */
enum ark_rc mm_where_find(const struct mm_where_input *in, struct mm_where *out,
                          struct ark_err *err);
void mm_where_release(struct mm_where *where); /* also for ark_auto */

/* "/srv/data", "s3://bucket/prefix", "" for none. */
void mm_files_text(const struct mm_files *files, struct ark_buf *out);

#endif
