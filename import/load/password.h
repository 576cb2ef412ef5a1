/*
 * Random first passwords for new accounts, and the file that tells people's administrator.
 */
#ifndef IMPORT_LOAD_PASSWORD_H
#define IMPORT_LOAD_PASSWORD_H

#include "import/load/load.h"

struct passwords;

/* One for everybody of the lists who gets a new account that can be used and signs in by password; NULL
 * into l->passwords when no file is asked for. Takes about 60 ms of one core each, on all cores. FAIL
 * REFUSED: the file is there and is no such file. */
enum ark_rc passwords_make(struct load *l, struct ark_err *err);
void passwords_free(struct passwords *p); /* NULL is fine */
/* Hash of a person's password, or "". */
const char *passwords_hash(const struct passwords *p, uint32_t person);

/*
 * Into l->set.password_file, CSV: username,email,password. Before the commit: a password that counts is
 * never lost. Lines that are there already stay, unless their account is made anew.
 */
enum ark_rc passwords_write(struct load *l, struct ark_err *err);

#endif
