/* create: of several objects all are made or none, whichever answer is lost on the way; what was there before stays. */
#include <stint/workload.h>

#include "tests/unit/workload/world.h"

#define JOBS "/apis/batch/v1/namespaces/lab/jobs"
#define SERVICES "/api/v1/namespaces/lab/services"

static const char *const nothing[][2] = {{NULL, NULL}};
/* Somebody else's, under the name of what is to be created second. */
static const char *const taken[][2] = {{SERVICES "/ring", "{\"metadata\":{\"name\":\"ring\",\"uid\":\"theirs\"}}"}, {NULL, NULL}};

static const char gang[] = "[{\"apiVersion\":\"batch/v1\",\"kind\":\"Job\",\"metadata\":{\"name\":\"ring\"}},"
			   "{\"apiVersion\":\"v1\",\"kind\":\"Service\",\"metadata\":{\"name\":\"ring\"}}]";

static void open_losing(struct world *world, const char *const before[][2], int lost_write, enum loss loss)
{
	world_open(world, before);
	world->lost_write = lost_write;
	world->loss = loss;
}

static struct stint_json *create(struct world *world, struct stint_error **err)
{
	stint_auto_json *objects = stint_json_parse(gang, strlen(gang), 0, NULL);
	return stint_objects_create(world->api.kube, objects, &(struct stint_create_options){.project = "lab", .own = true}, err);
}

static void what_is_created_is_owned_by_the_first(void **state)
{
	(void)state;
	struct world world;
	world_open(&world, nothing);
	stint_auto_json *made = NULL;
	assert_works(made = create(&world, &err));
	assert_int_equal(stint_json_count(made), 2);
	assert_int_equal(world.writes, 2);
	assert_non_null(stint_json_get(world.objects, JOBS "/ring"));
	const struct stint_json *owners = stint_json_at(stint_json_get(world.objects, SERVICES "/ring"), "metadata", "ownerReferences");
	assert_string_equal(stint_json_string_at(stint_json_first(owners), "uid"), "made-1");
	world_close(&world);
}

static void a_lost_answer_leaves_nothing_of_a_submission(void **state)
{
	(void)state;
	for (int lost = 1; lost <= 2; lost++) {
		for (enum loss loss = LOSS_OF_REQUEST; loss <= LOSS_OF_ANSWER; loss++) {
			struct world world;
			open_losing(&world, nothing, lost, loss);
			assert_fails(create(&world, &err), STINT_UNREACHABLE, "lost");
			if (stint_json_count(world.objects) != 0)
				fail_msg("write %d lost: something is left", lost);
			world_close(&world);
		}
	}
}

static void what_somebody_else_has_under_the_name_stays(void **state)
{
	(void)state;
	for (enum loss loss = LOSS_OF_REQUEST; loss <= LOSS_OF_ANSWER; loss++) {
		struct world world;
		open_losing(&world, taken, 2, loss);
		assert_fails(create(&world, &err), STINT_UNREACHABLE, "lost");
		assert_int_equal(stint_json_count(world.objects), 1);
		assert_string_equal(stint_json_string_at(stint_json_get(world.objects, SERVICES "/ring"), "metadata", "uid"), "theirs");
		world_close(&world);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_created_is_owned_by_the_first),
		cmocka_unit_test(a_lost_answer_leaves_nothing_of_a_submission),
		cmocka_unit_test(what_somebody_else_has_under_the_name_stays),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
