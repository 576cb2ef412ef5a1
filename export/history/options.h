/* The options of matter-history as one struct, filled from the tables in options.c. */
#ifndef EXPORT_HISTORY_OPTIONS_H
#define EXPORT_HISTORY_OPTIONS_H

#include "export/history/render.h"
#include "export/options.h"

enum history_command { HISTORY_UPDATE, HISTORY_SHOW, HISTORY_LOG, HISTORY_REBUILD };

struct history_config {
	struct export_config export; /* place, file store, scope: as matter-export */
	int form;                    /* enum history_form */
	const char *push;
	const char *push_password_file;
	bool force_with_lease;
	const char *ledger;
};

extern const struct ark_tool HISTORY_TOOL;

#endif
