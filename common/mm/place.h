/*
 * The place that a tool works on, opened: the database (the embedded server runs meanwhile) and what
 * is known about the file store. One beginning for all tools: the rows of their option tables, who
 * said what, --show-config, the line before the first write. Not for finding out where the data is:
 * that is where.h; not for reading files: that is the room store.
 *
 *	struct config { struct mm_place_options place; ... };
 *	static const struct ark_option OPTIONS[] = {
 *		ARK_TITLE("Where the data is"),
 *		MM_PLACE_ROWS(struct config, place, RUN | LIST),
 *		MM_PLACE_FILES_ROW(struct config, place, RUN),
 *		...
 *
 *	ark_auto(mm_place_release) struct mm_place place;
 *	mm_place_init(&place);
 *	rc = mm_place_find(&place, &config.place, &args, &how, err);	// contradictions are told at once
 *	rc = mm_place_open(&place, NULL, err);				// place.dsn is for db_open
 */
#ifndef ARK_MM_PLACE_H
#define ARK_MM_PLACE_H

#include "common/cli/args.h"
#include "common/cli/talk.h"
#include "common/db/embedded.h"
#include "common/mm/where.h"

/* Part of a tool's config struct; filled by the rows below. */
struct mm_place_options {
	const char *database;
	struct ark_maybe embedded;
	const char *mattermost_config;
	const char *files;
};

#define MM_PLACE_DATABASE_ROW(type, field, cmds)                                                     \
	{ "database", 0, "URL", ARK_TEXT, offsetof(type, field.database), NULL, ARK_SECRET,          \
	  "PostgreSQL database, as URL or key=value", .commands = (cmds) }
#define MM_PLACE_EMBEDDED_ROW(type, field, cmds)                                                     \
	{ "embedded", 0, "DIR", ARK_MAYBE, offsetof(type, field.embedded), NULL, ARK_IS_FOLDER,      \
	  "a private PostgreSQL in DIR (./matterark-data; /var/lib/matterark as root)",              \
	  .commands = (cmds) }
#define MM_PLACE_CONFIG_ROW(type, field, cmds)                                                       \
	{ "mattermost-config", 0, "PATH", ARK_TEXT, offsetof(type, field.mattermost_config), NULL,   \
	  ARK_IS_FILE,                                                                               \
	  "Mattermost's config.json, which names its database and file store; without it the "       \
	  "environment (MM_CONFIG, MM_SQLSETTINGS_DATASOURCE, MM_FILESETTINGS_...) and "             \
	  "/opt/mattermost/config/config.json are asked",                                            \
	  .commands = (cmds) }

/* The three, for tools whose commands all take them. */
#define MM_PLACE_ROWS(type, field, cmds)                                                             \
	MM_PLACE_DATABASE_ROW(type, field, cmds), MM_PLACE_EMBEDDED_ROW(type, field, cmds),          \
	MM_PLACE_CONFIG_ROW(type, field, cmds)

#define MM_PLACE_FILES_ROW(type, field, cmds)                                                        \
	{ "files", 0, "PLACE", ARK_TEXT, offsetof(type, field.files), NULL, 0,                       \
	  "Mattermost's file store: a folder, or s3://BUCKET/PREFIX", .commands = (cmds) }

struct mm_place_how {
	const char *app;           /* application_name for the database */
	bool writes;               /* MM_CONFIG_HERE does not count */
	bool embedded_default;     /* the embedded database when nothing says another place */
	bool create;               /* the embedded cluster is made when it is not there */
	bool has_files;            /* the tool has the row "files" */
	bool (*interrupted)(void); /* as in struct db_options */
};

struct mm_place {
	struct mm_place_how how;
	struct mm_where where;
	struct db_embedded *embedded; /* NULL unless it is one */
	struct ark_buf dsn;           /* NUL-ended, with its password; for db_open */
	bool by_default;              /* nobody named a database: the embedded one */
};

void mm_place_init(struct mm_place *place);
void mm_place_release(struct mm_place *place); /* close connections before; also for ark_auto */

/*
 * Which database and file store, and who said so. Opens nothing.
 * options, args   as ark_start filled them; `place` borrows from both
 * FAIL            as mm_where_find
 */
enum ark_rc mm_place_find(struct mm_place *place, const struct mm_place_options *options,
                          const struct ark_args *args, const struct mm_place_how *how,
                          struct ark_err *err);

/*
 * Set place->dsn; start the embedded server (and make it, with how.create). For the embedded one
 * the database is `database`, NULL: "mattermost"; and place->where.files becomes the folder beside it
 * (kind LOCAL) unless another one was said.
 */
enum ark_rc mm_place_open(struct mm_place *place, const char *database, struct ark_err *err);

/* "database mattermost at localhost"; nothing before it is open. */
void mm_place_text(const struct mm_place *place, struct ark_buf *out);
/* "writing to database mattermost at localhost (command line)"; with `verb` in front. */
void mm_place_say(const struct mm_place *place, const char *verb, struct ark_talk *talk);

/* What --show-config adds: the outcome and where it came from, secrets masked. Finds by itself. */
void mm_place_show(const struct mm_place_options *options, const struct ark_args *args,
                   const struct mm_place_how *how, struct ark_talk *talk);

#endif
