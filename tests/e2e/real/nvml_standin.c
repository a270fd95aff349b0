/*
 * A stand-in for libnvidia-ml.so.1, for test images alone: one device whose UUID follows from the host name, so that each reservation pod
 * has a device of its own, and the same one when it is made again. The signatures are those of NVIDIA's NVML API.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))

struct memory {
	unsigned long long total, free, used;
};

static int device;

EXPORT int nvmlInit_v2(void);
EXPORT int nvmlShutdown(void);
EXPORT const char *nvmlErrorString(int result);
EXPORT int nvmlDeviceGetCount_v2(unsigned int *count);
EXPORT int nvmlDeviceGetHandleByIndex_v2(unsigned int index, void **handle);
EXPORT int nvmlDeviceGetUUID(void *handle, char *uuid, unsigned int length);
EXPORT int nvmlDeviceGetName(void *handle, char *name, unsigned int length);
EXPORT int nvmlDeviceGetMemoryInfo(void *handle, struct memory *memory);

int nvmlInit_v2(void)
{
	return 0;
}

int nvmlShutdown(void)
{
	return 0;
}

const char *nvmlErrorString(int result)
{
	return result == 0 ? "Success" : "Not Found";
}

int nvmlDeviceGetCount_v2(unsigned int *count)
{
	*count = 1;
	return 0;
}

int nvmlDeviceGetHandleByIndex_v2(unsigned int index, void **handle)
{
	*handle = &device;
	return index == 0 ? 0 : 6;
}

int nvmlDeviceGetUUID(void *handle, char *uuid, unsigned int length)
{
	char host[64] = "";
	(void)handle;
	gethostname(host, sizeof(host) - 1);
	snprintf(uuid, length, "GPU-%s", host);
	return 0;
}

int nvmlDeviceGetName(void *handle, char *name, unsigned int length)
{
	(void)handle;
	snprintf(name, length, "NVIDIA stand-in");
	return 0;
}

int nvmlDeviceGetMemoryInfo(void *handle, struct memory *memory)
{
	(void)handle;
	*memory = (struct memory){85899345920ULL, 85899345920ULL, 0};
	return 0;
}
