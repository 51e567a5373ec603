/* The device node of the crypto cards: what its ioctls take. */
#ifndef DEVICE_H
#define DEVICE_H

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

#define DEVICE "/dev/z90crypt"

/* The letter z, a number, read and write, and no size. */
#define REQUEST(number) (0xC0007A00u | (number))
#define RSA_EXPONENT_REQUEST REQUEST(0x05)
#define RSA_CRT_REQUEST REQUEST(0x06)
#define EP11_REQUEST REQUEST(0x04)
#define CCA_REQUEST REQUEST(0x81)

struct rsa_operand {
	const uint8_t *input;
	uint32_t input_bytes;
	uint8_t *output;
	uint32_t output_bytes;
};

struct rsa_exponent {
	struct rsa_operand operand;
	const uint8_t *exponent;
	const uint8_t *modulus;
};

/* p, dp and u are half of the modulus and eight bytes more, q and dq half of it. */
struct rsa_crt {
	struct rsa_operand operand;
	const uint8_t *dp;
	const uint8_t *dq;
	const uint8_t *p;
	const uint8_t *q;
	const uint8_t *u;
};

struct cca_message {
	uint16_t agent;
	uint32_t card;
	uint16_t request_id;
	uint32_t request_bytes;
	uint8_t unused_request[8];
	const uint8_t *request;
	uint32_t request_data_bytes;
	uint8_t unused_request_data[8];
	const uint8_t *request_data;
	uint32_t reply_bytes;
	uint8_t unused_reply[8];
	uint8_t *reply;
	uint32_t reply_data_bytes;
	uint8_t unused_reply_data[8];
	uint8_t *reply_data;
	uint16_t priority;
	uint32_t status;
} __attribute__((packed));

struct ep11_target {
	uint16_t card;
	uint16_t domain;
};

struct ep11_message {
	uint16_t target_count;
	const struct ep11_target *targets;
	uint64_t weight;
	uint64_t number;
	uint64_t request_bytes;
	const uint8_t *request;
	uint64_t reply_bytes;
	uint8_t *reply;
} __attribute__((packed));

_Static_assert(sizeof(struct rsa_exponent) == 48, "as the driver has it");
_Static_assert(sizeof(struct rsa_crt) == 72, "as the driver has it");
_Static_assert(sizeof(struct cca_message) == 94, "as the driver has it");
_Static_assert(sizeof(struct ep11_message) == 58, "as the driver has it");

/* 0, or the errno of the driver. */
static inline int ask_device(unsigned int request, void *argument)
{
	static int device = -1;

	if (device < 0)
		device = open(DEVICE, O_RDWR);
	if (device < 0)
		return errno;
	return ioctl(device, request, argument) ? errno : 0;
}

/* Big-endian numbers are this machine's own. */
static inline void put16(uint8_t *at, uint16_t value)
{
	memcpy(at, &value, sizeof(value));
}

static inline void put32(uint8_t *at, uint32_t value)
{
	memcpy(at, &value, sizeof(value));
}

static inline uint16_t get16(const uint8_t *at)
{
	uint16_t value;

	memcpy(&value, at, sizeof(value));
	return value;
}

static inline uint32_t get32(const uint8_t *at)
{
	uint32_t value;

	memcpy(&value, at, sizeof(value));
	return value;
}

#endif
