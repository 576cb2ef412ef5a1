/*
 * A run's folder as a BagIt bag: what is under data/ is the payload, everything beside it is about it.
 * `sha256sum -c manifest-sha256.txt` and every BagIt program can check it.
 *
 * Fact  RFC 8493 (BagIt 1.0): the names of the files, their lines, Payload-Oxum; names need no encoding
 *       as long as they hold neither line breaks nor '%', and ours are plain ASCII (out.h)
 */
#ifndef EXPORT_BAG_H
#define EXPORT_BAG_H

#include "export/out.h"

#define EXPORT_TAGMANIFEST "tagmanifest-sha256.txt"

struct export_bag_info {
	const char *agent;          /* "matter-export 0.1.0" */
	int64_t date_ms;
	struct ark_str description; /* one line */
	/* Of a series: a name that all runs of it share, and which run this is; NONE and 0 otherwise. */
	struct ark_str group;
	uint64_t number;
	/* Hex SHA-256 of the tag manifest of the run before; NONE: there is none. */
	struct ark_str previous;
};

/*
 * A line of a manifest as it is written here: 64 hex digits, two blanks, a name; both are borrowed from it.
 * payload  whether names are those under data/, or the others
 * Returns  false when it is no such line
 */
bool export_manifest_read(struct ark_str line, bool payload, struct ark_str *sha256, struct ark_str *name);

/*
 * Write the tag files and both manifests about everything that `out` has so far. Last of all but the
 * signature: what is written later is in no manifest.
 * tagmanifest  out: the text of the tag manifest, which is what is signed
 */
enum ark_rc export_bag_write(struct export_out *out, const struct export_bag_info *info,
                             struct ark_buf *tagmanifest, struct ark_err *err);

#endif
