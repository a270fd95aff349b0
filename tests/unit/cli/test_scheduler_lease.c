/* That no scheduler works is told from its Lease, with since when. */
#include "cli/scheduler_lease.h"

#include "../test.h"

static void a_lease_that_nobody_renews_tells_since_when(void **state)
{
	(void)state;
	static const struct {
		const char *spec;
		int64_t after_ms; /* of 00:00:00 */
		const char *says;
	} rows[] = {
		{"{\"holderIdentity\":\"a\",\"leaseDurationSeconds\":15,\"renewTime\":\"2026-01-01T00:00:00.000000Z\"}", 14000, NULL},
		{"{\"holderIdentity\":\"a\",\"leaseDurationSeconds\":15,\"renewTime\":\"2026-01-01T00:00:00.000000Z\"}", 20000,
			"no scheduler works: a holds the Lease stint-scheduler and has not renewed it for 20s"},
		{"{\"holderIdentity\":\"a\",\"leaseDurationSeconds\":15,\"renewTime\":\"2026-01-01T00:00:00.000000Z\"}", -20000, NULL},
		{"{\"holderIdentity\":\"\",\"leaseDurationSeconds\":1,\"renewTime\":\"2026-01-01T00:00:00.000000Z\"}", 90000,
			"no scheduler holds the Lease stint-scheduler: the last one gave it back 90s ago"},
		{"{}", 0, "no scheduler holds the Lease stint-scheduler"},
	};
	for (size_t i = 0; i < STINT_COUNT(rows); i++) {
		stint_auto_json *lease = stint_json_new_object();
		stint_json_set(lease, "spec", stint_json_parse(rows[i].spec, strlen(rows[i].spec), 0, NULL));
		stint_autofree char *told = cli_scheduler_trouble(lease, INT64_C(1767225600000) + rows[i].after_ms);
		if (!rows[i].says)
			assert_null(told);
		else
			assert_string_equal(told, rows[i].says);
	}
	static const char of_pool[] = "{\"metadata\":{\"name\":\"stint-scheduler-h100\"}}";
	stint_auto_json *lease = stint_json_parse(of_pool, strlen(of_pool), 0, NULL);
	stint_autofree char *told = cli_scheduler_trouble(lease, 0);
	assert_string_equal(told, "no scheduler holds the Lease stint-scheduler-h100");
	stint_autofree char *none = cli_scheduler_trouble(NULL, 0);
	assert_string_equal(none, "no scheduler has come to this cluster yet: there is no Lease stint-scheduler");
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(a_lease_that_nobody_renews_tells_since_when)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
