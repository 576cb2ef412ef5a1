#include "import/load/claim.h"

#include "common/mm/claim.h"

#include "common/base/banned.h"

static const struct mm_claim IMPORT = { "matterark import", CLAIM_TEMP_PREFIX, "matter-import", "import into" };

enum ark_rc claim_connect(const struct load_job *job, struct db_conn **out, struct ark_err *err)
{
	return mm_claim_connect(job->dsn, job->maintenance_db, &job->db, out, err);
}

enum ark_rc claim_name(struct db_conn *maintenance, struct ark_str name, struct ark_err *err)
{
	return mm_claim_name(maintenance, &IMPORT, name, err);
}

enum ark_rc claim_database(struct db_conn *conn, struct ark_err *err)
{
	return mm_claim_database(conn, &IMPORT, err);
}

enum ark_rc claim_drop_rests(struct db_conn *maintenance, uint64_t *dropped, struct ark_err *err)
{
	return mm_claim_drop_rests(maintenance, &IMPORT, dropped, err);
}
