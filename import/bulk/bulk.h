/*
 * Slack exports as a Mattermost bulk import file, for `mmctl import`: the same people, channels and posts
 * that an import would write, as lines and file bodies in a zip.
 *
 * Fact  docs/mattermost-facts.md "Bulk import"
 */
#ifndef IMPORT_BULK_BULK_H
#define IMPORT_BULK_BULK_H

#include "import/load/run.h"

struct bulk_outcome {
	uint64_t lines;
	uint64_t bodies, bytes; /* of files */
	struct load_outcome load;
};

/*
 * job   as for load_check; job->x was surveyed (survey.h), so that everybody has their name
 * out   path of the zip; there when it is complete
 */
enum ark_rc bulk_write(const struct load_job *job, struct load *l, const char *path,
                       struct bulk_outcome *out, struct ark_err *err);

#endif
