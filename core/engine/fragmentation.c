/*
 * fragmentation: prices of what makes GPUs useless, derived from the mix of requests, and what a placement loses by them.
 *
 * The mix is scaled to ask for exactly the cluster's capacity: the moment at which losses show.
 *
 * Remainders. Filling devices with requests of given sizes is the cutting stock problem. In its linear program a size s of which there is
 * plenty gets a value v(s) <= s, and the value of a remainder r is the best that fits in it, V(r) = max sum of v over sizes that sum up to r at
 * most: a knapsack. The values maximise sum of d(s) v(s) - V(1), d(s) being how often s is asked for per device. That is concave, and its
 * slope in v(s) is d(s) minus how often the best filling of a whole device uses s; so a subgradient ascent finds it, and the mean over
 * its later steps is taken, which converges where the steps themselves swing. A device that goes from r to r - s loses V(r) - V(r - s) - s,
 * of which s is the same wherever the request goes. Sizes of 0.81 leave nothing that another request could use: V says so.
 *
 * CPU. Requests bring along cpu_per_device on average, so free devices beyond free CPU / cpu_per_device are stranded. A placement loses by
 * how much it adds to them; and a node whose devices are stranded in part is a worse place the larger that part is.
 *
 * Scarcity. Requests that only some kinds of nodes take are spread evenly over these; the sum over requests is the part of the
 * devices of a kind that will be missed by those who have no other choice.
 *
 * Among equals work gathers: a small part of what stays free on the node counts as lost, so that whole nodes stay whole for large pods.
 *
 * The weights are near each other and of no trace. On the published traces half or double of one of the first two moves a result by 0.3 points
 * at most, on gpuspec33 by 0.6; scarcity matters on gpuspec33 alone, where a third of its weight costs 3 points.
 */
#include <string.h>

#include <stint/engine.h>

enum {
	MILLION = 1000000,
	SIZES = STINT_REMAINDERS + 1, /* hundredths of a device, 0 included */
	HUNDREDTH = MILLION / STINT_REMAINDERS,
	ROUNDS = 400,
	WEIGHT_DEVICE = 3,
	WEIGHT_STRANDED = 2,
	WEIGHT_SCARCE = 3,
	MOST_SCARCITY = 16 * MILLION,
	GATHER = 32, /* one part in so many of what stays free */
};
/* Beyond these an amount changes no decision; sums over all requests stay in range. */
static const int64_t MOST_COUNT = INT64_C(1) << 32, MOST_CPU = INT64_C(1) << 40;

__extension__ typedef __int128 wide;

struct request {
	int64_t count, cpu_milli, gpu_milli;
	int64_t devices;
	unsigned size; /* of each device */
	uint64_t kinds;
};

static int64_t bounded(int64_t value, int64_t most)
{
	return value < 0 ? 0 : value < most ? value : most;
}

static int64_t ratio(int64_t value, int64_t numerator, int64_t denominator)
{
	return (int64_t)((wide)value * numerator / denominator);
}

static bool read_request(const struct stint_demand *demand, struct request *out)
{
	const uint32_t milli = demand->milli < 1000 ? demand->milli : 1000, devices = demand->devices < 64 ? demand->devices : 64;
	*out = (struct request){
		.count = demand->count < (uint64_t)MOST_COUNT ? (int64_t)demand->count : MOST_COUNT,
		.cpu_milli = bounded(demand->cpu_milli, MOST_CPU),
		.gpu_milli = (int64_t)milli * devices,
		.devices = devices,
		.size = (milli + 9) / 10,
		.kinds = demand->kinds,
	};
	return out->count && out->gpu_milli;
}

/* ---- remainders ---------------------------------------------------------------------------------------------------------------------------- */

struct cutting {
	uint8_t sizes[SIZES]; /* that are asked for, ascending */
	size_t count;
	int64_t wanted[SIZES]; /* how often per device, in millionths */
	int64_t value[SIZES]; /* v, in millionths of a device */
	int64_t best[SIZES]; /* V */
	uint8_t choice[SIZES]; /* the size with which the best filling of r begins; 0: a hundredth is left empty */
};

static void fill(struct cutting *cutting)
{
	for (unsigned room = 1; room < SIZES; room++) {
		int64_t best = cutting->best[room - 1];
		uint8_t choice = 0;
		for (size_t i = 0; i < cutting->count && cutting->sizes[i] <= room; i++) {
			const uint8_t size = cutting->sizes[i];
			const int64_t value = cutting->best[room - size] + cutting->value[size];
			if (value > best) {
				best = value;
				choice = size;
			}
		}
		cutting->best[room] = best;
		cutting->choice[room] = choice;
	}
}

/* One step up: values of sizes that the best filling uses less often than they are asked for rise, the others fall. */
static void climb(struct cutting *cutting, unsigned round)
{
	unsigned used[SIZES] = {0};
	for (unsigned room = STINT_REMAINDERS; room;) {
		const unsigned size = cutting->choice[room];
		used[size]++;
		room -= size ? size : 1;
	}
	for (size_t i = 0; i < cutting->count; i++) {
		const unsigned size = cutting->sizes[i];
		const int64_t slope = cutting->wanted[size] - (int64_t)used[size] * MILLION;
		const int64_t value = cutting->value[size] + slope * (int64_t)size / (25 * (20 + (int64_t)round));
		cutting->value[size] = bounded(value, (int64_t)size * HUNDREDTH);
	}
}

static void price_remainders(struct stint_prices *prices, const struct stint_demand *demands, size_t count)
{
	struct cutting cutting = {0};
	struct request request;
	int64_t total = 0, sum[SIZES] = {0};
	for (size_t i = 0; i < count; i++) {
		if (!read_request(&demands[i], &request))
			continue;
		cutting.wanted[request.size] += request.count * request.devices;
		total += request.count * request.devices * (int64_t)request.size;
	}
	for (unsigned size = 1; size < SIZES; size++) {
		if (!cutting.wanted[size])
			continue;
		cutting.wanted[size] = ratio(cutting.wanted[size], (int64_t)STINT_REMAINDERS * MILLION, total);
		cutting.value[size] = (int64_t)size * HUNDREDTH;
		cutting.sizes[cutting.count++] = (uint8_t)size;
	}
	for (unsigned round = 0; round < ROUNDS; round++) {
		fill(&cutting);
		for (unsigned room = 0; room < SIZES && round >= ROUNDS / 2; room++)
			sum[room] += cutting.best[room];
		climb(&cutting, round);
	}
	for (unsigned room = 0; room < SIZES; room++)
		prices->remainder[room] = (int32_t)(sum[room] / (ROUNDS - ROUNDS / 2));
}

/* ---- CPU and kinds ---------------------------------------------------------------------------------------------------------------------------- */

static void price_cpu(struct stint_prices *prices, const struct stint_demand *demands, size_t count)
{
	wide cpu = 0, gpu = 0;
	for (size_t i = 0; i < count; i++) {
		struct request request;
		if (!read_request(&demands[i], &request))
			continue;
		cpu += (wide)request.cpu_milli * request.count;
		gpu += (wide)request.gpu_milli * request.count;
	}
	prices->cpu_per_device = gpu ? bounded((int64_t)(cpu * 1000 / gpu), MOST_CPU) : 0;
}

static int64_t allowed_capacity(const struct request *request, const int64_t *capacity)
{
	int64_t allowed = 0;
	for (unsigned kind = 0; kind < STINT_NODE_KINDS; kind++)
		allowed += request->kinds >> kind & 1 ? capacity[kind] : 0;
	return allowed;
}

static void price_kinds(struct stint_prices *prices, const struct stint_demand *demands, size_t count, const int64_t *capacity)
{
	struct request request;
	int64_t all = 0, asked = 0;
	for (unsigned kind = 0; kind < STINT_NODE_KINDS; kind++)
		all += capacity[kind];
	for (size_t i = 0; i < count; i++)
		asked += read_request(&demands[i], &request) ? request.count * request.gpu_milli : 0;
	for (size_t i = 0; i < count; i++) {
		if (!read_request(&demands[i], &request))
			continue;
		const int64_t allowed = allowed_capacity(&request, capacity);
		if (allowed <= 0 || allowed >= all)
			continue;
		const int64_t part = ratio(request.count * request.gpu_milli, MILLION, asked);
		const int64_t missed = bounded(ratio(part, all, allowed), MOST_SCARCITY);
		for (unsigned kind = 0; kind < STINT_NODE_KINDS; kind++) {
			if (request.kinds >> kind & 1)
				prices->scarcity[kind] = (int32_t)bounded(prices->scarcity[kind] + missed, MOST_SCARCITY);
		}
	}
}

void stint_prices_learn(
	struct stint_prices *prices, const struct stint_demand *demands, size_t count, const int64_t capacity[static STINT_NODE_KINDS])
{
	*prices = (struct stint_prices){0};
	price_remainders(prices, demands, count);
	price_cpu(prices, demands, count);
	price_kinds(prices, demands, count, capacity);
}

/* ---- what a placement loses ------------------------------------------------------------------------------------------------------------------- */

int64_t stint_device_loss(const struct stint_prices *prices, uint32_t from, uint32_t milli)
{
	const uint32_t before = from < 1000 ? from / 10 : STINT_REMAINDERS, after = from > milli ? (from - milli) / 10 : 0;
	const int64_t value = prices->remainder[before] - prices->remainder[after < before ? after : before];
	return WEIGHT_DEVICE * (value - (int64_t)milli * (MILLION / 1000));
}

/* How many devices so much CPU is enough for, in millionths of one. */
static int64_t served(const struct stint_prices *prices, int64_t cpu_milli)
{
	return bounded(cpu_milli, MOST_CPU) * MILLION / prices->cpu_per_device;
}

int64_t stint_node_loss(const struct stint_prices *prices, const struct stint_remains *before, int64_t cpu_milli, int64_t gpu_milli)
{
	const int64_t free_before = before->gpu_milli * (MILLION / 1000), free_after = free_before - gpu_milli * (MILLION / 1000);
	int64_t loss = WEIGHT_SCARCE * (int64_t)prices->scarcity[before->kind] * gpu_milli / 1000 + free_after / GATHER;
	if (prices->cpu_per_device <= 0)
		return loss;
	const int64_t served_before = served(prices, before->cpu_milli), served_after = served(prices, before->cpu_milli - cpu_milli);
	const int64_t stranded_before = bounded(free_before - served_before, free_before);
	const int64_t stranded_after = bounded(free_after - served_after, free_after);
	loss += WEIGHT_STRANDED * (stranded_after - stranded_before) + served_after / GATHER;
	return before->devices ? loss + 2 * WEIGHT_STRANDED * stranded_after / (int64_t)before->devices : loss;
}
