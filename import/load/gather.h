/*
 * The second pass: day files into records, channel by channel; a channel is loaded as soon as its
 * last day file was read. The one place where something that cannot be read becomes a counted skip.
 */
#ifndef IMPORT_LOAD_GATHER_H
#define IMPORT_LOAD_GATHER_H

#include "import/load/channel.h"
#include "import/translate/message.h"

struct gather {
	struct load *l;
	struct translate_options options;
	struct sink *sink;
	/* called now and then; something else than OK stops the run */
	enum ark_rc (*tick)(void *ctx, uint64_t messages, uint64_t bytes, struct ark_err *err);
	void *tick_ctx;
};

/* Read everything and load every channel into the sink. Counts go to the targets. */
enum ark_rc gather_run(const struct gather *g, struct ark_err *err);

#endif
