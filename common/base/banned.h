/*
 * Functions that this project does not use, because each has a safer twin. Included last by .c
 * files; using one is a compile error with the name of the twin.
 */
#ifndef ARK_BASE_BANNED_H
#define ARK_BASE_BANNED_H

#undef strcpy
#undef strcat
#undef strncpy
#undef sprintf
#undef vsprintf
#undef strtok
#undef atoi
#undef atol
#undef gets
#undef gmtime
#undef localtime
#undef ctime
#undef asctime
#define strcpy(a, b) ark_banned_strcpy_use_ark_buf
#define strcat(a, b) ark_banned_strcat_use_ark_buf
#define strncpy(a, b, n) ark_banned_strncpy_use_snprintf
#define sprintf ark_banned_sprintf_use_snprintf
#define vsprintf ark_banned_vsprintf_use_vsnprintf
#define strtok(a, b) ark_banned_strtok_use_ark_str
#define atoi(a) ark_banned_atoi_use_ark_str_u64
#define atol(a) ark_banned_atol_use_ark_str_u64
#define gets(a) ark_banned_gets
#define gmtime(a) ark_banned_gmtime_use_ark_time
#define localtime(a) ark_banned_localtime_use_ark_time
#define ctime(a) ark_banned_ctime_use_ark_time
#define asctime(a) ark_banned_asctime_use_ark_time

#endif
