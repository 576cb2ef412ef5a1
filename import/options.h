/* The options of matter-import as one struct, filled from the tables in options.c. */
#ifndef IMPORT_OPTIONS_H
#define IMPORT_OPTIONS_H

#include "common/cli/args.h"
#include "common/mm/place.h"
#include "common/notify/notify.h"
#include "common/store/store.h"

enum import_command { COMMAND_CHECK, COMMAND_SLACK, COMMAND_VERIFY, COMMAND_RUNS,
                      COMMAND_FILES, COMMAND_UNDO, COMMAND_BULK };

enum { GENERAL_MERGE, GENERAL_KEEP };

struct import_config {
	struct notify_options notify;
	struct mm_place_options place;
	const char *maintenance_db;
	const char *owner;
	bool create_schema;
	bool create_team;
	const char *team;
	const char *team_map;  /* CSV file */
	const char *team_name; /* display name */
	const char *workspace;
	const char *output;    /* zip of bulk */
	const char *users;     /* CSV file */
	bool merge_by_email;
	const char *password_file;
	int default_auth;      /* enum load_auth */
	int auth_data;         /* enum load_auth_data */
	struct ark_list admins;
	const char *into_channel;
	const char *email_domain;
	int guests;            /* enum load_guests */
	int general;
	struct ark_list channels;
	struct ark_when since, until;
	bool no_direct;
	bool no_joins;
	int bots;              /* 0 keep, 1 skip */
	int indexes;           /* enum load_indexes */
	bool force;
	bool overwrite;
	bool adopt;
	const char *api_url;
	const char *api_token_file;
	bool dry_run;
	bool profile;
	int files_from;        /* enum fetch_from */
	bool no_previews;
	const char *slack_token_file;
	const char *slack_url;
	struct ark_list emoji_dir;
	struct store_s3_options s3;
	const char *report;
	const char *temp_dir;
	uint64_t memory;
};

extern const struct ark_tool IMPORT_TOOL;

#endif
