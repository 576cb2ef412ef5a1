/*
 * Exports that lie in a folder: one alone (the folder is the bag), or a series of incremental runs in
 * folders run-000001, run-000002 and so on, each a bag that names the one before.
 */
#ifndef EXPORT_SERIES_H
#define EXPORT_SERIES_H

#include "common/crypt/hash.h"
#include "export/folder.h"

#define EXPORT_RUN_NAME 16
void export_run_name(unsigned number, char out[EXPORT_RUN_NAME]);

struct export_series {
	bool alone;     /* the folder itself is one export */
	unsigned first, last; /* runs; 0 when there are none */
};

/*
 * What lies in the folder. FAIL with kind REFUSED when it is neither one export nor a series (anything
 * else lies there), INPUT when runs are missing between others. An empty folder is a series of none.
 */
enum ark_rc export_series_look(const struct export_folder *f, struct export_series *out,
                               struct ark_err *err);

/* SHA-256 of the tag manifest in hex: the name that the next run of a series gives to this one. */
enum ark_rc export_tagmanifest_sha256(const struct export_folder *run, char hex[CRYPT_SHA256_HEX],
                                      struct ark_err *err);
/* The value of a line "Key: value" in bag-info.txt, appended to `out`; nothing when it is not there. */
enum ark_rc export_bag_info_value(const struct export_folder *run, const char *key, struct ark_buf *out,
                                  struct ark_err *err);

#endif
