/*
 * Passwords that are made here, and the form in which Mattermost keeps them. Over libcrypt (libxcrypt).
 *
 * Fact  docs/mattermost-facts.md "Passwords": every release takes bcrypt of cost 10; 11 rewrites it at
 *       the first login
 */
#ifndef ARK_CRYPT_PASSWORD_H
#define ARK_CRYPT_PASSWORD_H

#include <stdbool.h>

#include "common/base/err.h"

#define CRYPT_PASSWORD_LEN 20 /* letters and digits that look like no others: 116 bits */
#define CRYPT_BCRYPT_LEN 60

/* A random one, NUL-ended. */
void crypt_password_random(char out[CRYPT_PASSWORD_LEN + 1]);
/* Its bcrypt hash, NUL-ended: about 60 ms of one core. Threads may call it side by side. */
enum ark_rc crypt_password_hash(const char *password, char out[CRYPT_BCRYPT_LEN + 1], struct ark_err *err);
/* Does the hash belong to the password? */
bool crypt_password_check(const char *password, const char *hash);

#endif
