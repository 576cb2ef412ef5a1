/*
 * Where the generated files go: a zip as Slack makes them, or a folder.
 */
#ifndef GEN_SLACK_OUT_H
#define GEN_SLACK_OUT_H

#include <stdbool.h>

#include "common/base/err.h"
#include "common/base/str.h"

struct gen_out;

/* Create the zip or folder `path`; an existing file is replaced, an existing folder refused. */
enum ark_rc gen_out_open(const char *path, bool folder, struct gen_out **out, struct ark_err *err);
void gen_out_free(struct gen_out *o); /* NULL is fine */
void gen_out_freep(struct gen_out **o);
/* A folder entry; `name` ends with '/'. */
enum ark_rc gen_out_folder(struct gen_out *o, const char *name, struct ark_err *err);
enum ark_rc gen_out_file(struct gen_out *o, const char *name, struct ark_str body,
			 struct ark_err *err);
/* Write what is left; without it the archive is not complete. */
enum ark_rc gen_out_finish(struct gen_out *o, struct ark_err *err);

#endif
