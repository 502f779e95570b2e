// layers: base text
#include "tn_test.h"

#include "text/hash.h"

TN_TEST(digests_of_known_texts)
{
    TN_ASSERT_EQ_S(tn_sha256_hex(arena, TN_STR("abc")),
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    TN_ASSERT_EQ_S(tn_sha256_hex(arena, TN_STR_NONE),
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    TN_ASSERT_EQ_S(tn_md5_hex(arena, TN_STR("message digest")), "f96b697d7cb7938d525a2f31aaf161d0");
    uint8_t out[32];
    tn_sha1(TN_STR("abc"), out);
    TN_ASSERT_EQ_S(tn_hex(arena, out, 20), "a9993e364706816aba3e25717850c26c9cd0d89d");
    tn_hmac_sha256(TN_STR("key"), TN_STR("The quick brown fox jumps over the lazy dog"), out);
    TN_ASSERT_EQ_S(
        tn_hex(arena, out, 32), "f7bc83f430538424b13298e6aa6fb143ef4d59a14946175997479dbc2d1a3cd8");
}

TN_TEST(crc32_goes_on_from_a_seed)
{
    TN_ASSERT_EQ_I(tn_crc32(0, "123456789", 9), 0xcbf43926);
    TN_ASSERT_EQ_I(tn_crc32(tn_crc32(0, "1234", 4), "56789", 5), 0xcbf43926);
}

TN_TEST(base64_both_ways)
{
    TN_ASSERT_EQ_S(tn_base64(arena, TN_STR("foobar")), "Zm9vYmFy");
    TN_ASSERT_EQ_S(tn_base64(arena, TN_STR("fooba")), "Zm9vYmE=");
    TN_ASSERT_EQ_S(tn_base64(arena, TN_STR("foob")), "Zm9vYg==");
    tn_str s;
    TN_ASSERT(tn_base64_decode(arena, TN_STR("Zm9vYg=="), &s));
    TN_ASSERT_EQ_S(s, "foob");
    TN_ASSERT(tn_base64_decode(arena, TN_STR("Zm9vYmE"), &s));
    TN_ASSERT_EQ_S(s, "fooba");
    TN_ASSERT(!tn_base64_decode(arena, TN_STR("Zm9v!mE="), &s));
    TN_ASSERT(!tn_base64_decode(arena, TN_STR("Z"), &s));
}

TN_TEST(z85_both_ways)
{
    static const uint8_t spec[8] = { 0x86, 0x4F, 0xD2, 0x6F, 0xB5, 0x59, 0xF7, 0x5B };
    tn_buf b = tn_buf_init(arena, 100);
    tn_z85_encode(&b, spec, sizeof spec);
    TN_ASSERT_EQ_S(tn_buf_str(&b), "HelloWorld");
    tn_str s;
    TN_ASSERT(tn_z85_decode(arena, TN_STR("HelloWorld"), &s));
    TN_ASSERT_EQ_S(s, tn_str_n((const char *)spec, 8));
    TN_ASSERT(!tn_z85_decode(arena, TN_STR("Hell"), &s));
    TN_ASSERT(!tn_z85_decode(arena, TN_STR("#####"), &s));     /* past 2^32 - 1 */
    TN_ASSERT(tn_z85_decode(arena, TN_STR("Hello##093"), &s)); /* two bytes short */
    TN_ASSERT_EQ_S(s, tn_str_n("\x86\x4f\xd2\x6f\x03\x00", 6));
    TN_ASSERT(!tn_z85_decode(arena, TN_STR("##093Hello"), &s));
    TN_ASSERT(!tn_z85_decode(arena, TN_STR("Hell~"), &s));
    tn_buf_reset(&b);
    tn_z85_encode(&b, (const uint8_t *)"a", 1);
    TN_ASSERT_EQ_I(b.n, 5);
    TN_ASSERT(tn_z85_decode(arena, tn_buf_str(&b), &s));
    TN_ASSERT_EQ_S(s, tn_str_n("a\0\0\0", 4));
}
