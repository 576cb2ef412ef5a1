/* Made from backup/inside/ and backup/neutralise/ when building. */
#ifndef BACKUP_REPO_INSIDE_TEXT_H
#define BACKUP_REPO_INSIDE_TEXT_H

extern const char INSIDE_README[];
extern const char INSIDE_README_ENCRYPTED[];
extern const char INSIDE_RESTORE_SH[];
extern const char INSIDE_NEUTRALISE_SQL[];
extern const char INSIDE_EXTRACTED_SH[]; /* restore.sh of what extract writes */
extern const char INSIDE_PEOPLE_SQL[];
extern const unsigned char INSIDE_BRAND_PNG[];
extern const unsigned INSIDE_BRAND_PNG_BYTES;

#endif
