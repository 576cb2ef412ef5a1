/* A made-up run with text in it that wants to be more than text. */
#ifndef ARK_TESTS_NOTIFY_SAMPLE_H
#define ARK_TESTS_NOTIFY_SAMPLE_H

#include "common/notify/notify.h"

static const struct notify_count SAMPLE_COUNTS[] = {
	{ "posts_written", "posts written", 1234567 },
	{ "read_bytes", "bytes read", 18446744073709551615u },
};

static inline struct notify_run sample_run(enum ark_exit code)
{
	bool failed = code != ARK_EXIT_DONE && code != ARK_EXIT_LOSSES;
	return (struct notify_run){
		.tool = "matter-import",
		.version = "0.1.0",
		.command = "slack",
		.target = "database matter*most at db1",
		.begin_ms = INT64_C(1700000000000),
		.code = code,
		.headline = failed ? NULL : "caf\xc3\xa9 | @all [x](y)",
		.problem = failed ? "cannot read 'a```b': line 1\nline 2 = @here" : NULL,
		.counts = SAMPLE_COUNTS,
		.count_count = 2,
	};
}

#endif
