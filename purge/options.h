/* The options of matter-purge as one struct, filled from the tables in options.c. */
#ifndef PURGE_OPTIONS_H
#define PURGE_OPTIONS_H

#include "common/cli/args.h"
#include "common/mm/place.h"
#include "common/notify/notify.h"
#include "common/store/store.h"

enum purge_command {
	COMMAND_PLAN,
	COMMAND_APPLY,
	COMMAND_LOG,
	COMMAND_COUNT,
};

struct purge_config {
	struct notify_options notify;
	struct mm_place_options place;
	struct store_s3_options s3;

	struct ark_when deleted_before, older_than;
	struct ark_list channels, users;
	bool keep_pinned;
	const char *hold;
	const char *out;

	const char *archived_in;
	const char *snapshot, *identity, *cache;
	struct ark_when snapshots_kept;
	const char *api_url, *api_token_file;
	bool without_files;
	int64_t batch, pause_ms;
	bool yes;
	bool dry_run;
};

extern const struct ark_tool PURGE_TOOL;

#endif
