// Vectors whose manifest, though signed, is not in its form, and vectors of signatures.
#include <algorithm>
#include <memory>
#include <span>

#include "archive_vectors.h"
#include "entry_layout.h"
#include "tar.h"

namespace oa::archive {
namespace {

Forgery with_text(const std::function<void(std::string&)>& edit) {
  Forgery base = two_entries();
  base.edit_manifest_text = edit;
  return base;
}

// Name, outcome, what the manifest is or has, and what replaces what.
using TextEdit = std::tuple<const char*, const char*, const char*, std::string, std::string>;

void refuse_texts(VectorCatalog& c, std::span<const TextEdit> edits) {
  for (const auto& [name, outcome, what, from, to] : edits) {
    c.not_opened(std::string("manifest_") + name, outcome,
                 std::string("The manifest ") + what + ".", with_text(replaced(from, to)));
  }
}

void json_forms(VectorCatalog& c) {
  const TextEdit edits[] = {
      {"unknown_member", "malformed", "has a member that this minor version does not know",
       R"("minor":0},)", R"("minor":0},"future":[1],)"},
      {"unknown_member_of_minor_1", "malformed",
       "is of format 1.1 and has a member that this does not know", R"("minor":0},)",
       R"("minor":1},"future":[1],)"},
      {"unknown_member_of_signer", "malformed",
       "has a member of the signer that this minor version does not know", R"(","public_key":)",
       R"(","of":1,"public_key":)"},
      {"member_missing", "malformed", "lacks a member", R"("probes":{},)", ""},
      {"member_twice", "malformed", "has a member twice", R"("entry_count":2,)",
       R"("entry_count":2,"entry_count":2,)"},
      {"blank", "malformed", "has a blank between tokens", "{", "{ "},
      {"order", "malformed", "has its members in another order", R"({"major":1,"minor":0})",
       R"({"minor":0,"major":1})"},
      {"number_with_fraction", "malformed", "has a number with the fraction 0",
       R"("entry_count":2)", R"("entry_count":2.0)"},
      {"number_with_exponent", "malformed", "has a number with an exponent", R"("entry_count":2)",
       R"("entry_count":2e0)"},
      {"number_negative", "malformed", "has a negative count", R"("entry_count":2)",
       R"("entry_count":-2)"},
      {"number_as_text", "malformed", "has a number as text", R"("entry_count":2)",
       R"("entry_count":"2")"},
      {"number_past_64_bits", "malformed", "has a number that no integer type holds",
       R"("entry_count":2)", R"("entry_count":18446744073709551618)"},
      {"number_past_doubles", "malformed", "has a number that no double holds", R"("datasets":1)",
       R"("datasets":1e999)"},
      {"count_with_fraction", "malformed", "counts one and a half assets", R"("datasets":1)",
       R"("datasets":1.5)"},
      {"escaped_slash", "malformed", "escapes a character that needs no escape", R"("Example")",
       R"("Ex\/ample")"},
      {"escape_upper_case", "malformed", "writes an escape with upper-case digits", R"("Example")",
       R"("Ex\u001Fample")"},
      {"lone_surrogate", "malformed", "has half of a surrogate pair", R"("Example")",
       R"("Ex\ud800ample")"},
      {"nul_byte", "malformed", "has a NUL byte within a string", "Example",
       std::string("Exam\0ple", 8)},
      {"not_utf8", "malformed", "has a string that is not UTF-8", "Example", "Exam\xffple"}};
  refuse_texts(c, edits);
}

void values(VectorCatalog& c) {
  const TextEdit edits[] = {
      {"uppercase_id", "malformed", "has an id in upper case", "3f1e9c52", "3F1E9C52"},
      {"no_such_day", "malformed", "was made on a day that does not exist", "2026-04-16T",
       "2026-02-30T"},
      {"moment_without_fraction", "malformed", "has a moment without fraction", "11.134000Z",
       "11Z"},
      {"moment_with_offset", "malformed", "has a moment in another time zone", "11.134000Z",
       "11.134000+00:00"},
      {"moment_before_1970", "malformed", "has a moment that tar cannot hold", "2026-04-16T",
       "1926-04-16T"},
      {"content_hash_upper_case", "malformed", "has its content hash in upper case",
       R"("content_hash":")", R"("content_hash":"ABCDEF)"},
      {"content_hash_too_long", "malformed", "has a content hash with two digits more",
       R"("content_hash":")", R"("content_hash":"00)"},
      {"key_id_differs", "malformed", "names a key id that is not the key's", R"("key_id":"01)",
       R"("key_id":"02)"},
      {"key_in_another_form", "malformed", "has no minisign key", R"("public_key":"RW)",
       R"("public_key":"AA)"},
      {"format_missing", "malformed", "names no version", R"("format":{"major":1,"minor":0},)", ""},
      {"major_2", "version-unsupported", "is of major version 2", R"("major":1)", R"("major":2)"},
      {"major_0", "version-unsupported", "is of major version 0", R"("major":1)", R"("major":0)"},
      {"version_as_text", "malformed", "has its major version as text", R"("major":1)",
       R"("major":"1")"},
      {"newer_minor_not_canonical", "malformed", "is of a newer minor version and not canonical",
       R"("minor":0},)", R"("minor":7}, )"},
      {"newer_minor_member_missing", "malformed", "is of a newer minor version and lacks a member",
       R"("minor":0},"index_root")", R"("minor":7},"index_toor")"}};
  refuse_texts(c, edits);
}

void other_documents(VectorCatalog& c) {
  const std::string deep(1000, '[');
  c.not_opened("manifest_nested", "limit", "The manifest has 1,000 nested arrays.",
               with_text(replaced("\"Example\"", deep + std::string(deep.size(), ']'))));
  c.not_opened("manifest_empty", "malformed", "The manifest has no bytes.",
               with_text([](std::string& text) { text.clear(); }));
  c.not_opened("manifest_is_an_array", "malformed", "The manifest is an array.",
               with_text([](std::string& text) { text = "[]"; }));
  c.not_opened("manifest_line_break", "malformed", "The manifest ends with a line break.",
               with_text([](std::string& text) { text.push_back('\n'); }));
  c.not_opened("manifest_byte_order_mark", "malformed",
               "The manifest begins with a byte order mark.",
               with_text([](std::string& text) { text.insert(0, "\xef\xbb\xbf"); }));
}

void contradictions(VectorCatalog& c) {
  const auto with = [](const std::function<void(Manifest&)>& edit) {
    Forgery base = two_entries();
    base.edit_manifest = edit;
    return base;
  };
  c.not_opened("manifest_index_root_differs", "content-mismatch",
               "The manifest names another digest of the root.",
               with([](Manifest& m) { m.index_root[0] ^= 1; }));
  c.not_verified("manifest_content_hash_differs", "content-mismatch",
                 "The manifest names another content hash.",
                 with([](Manifest& m) { m.content_hash[0] ^= 1; }));
  c.not_opened("manifest_entry_count_differs", "malformed",
               "The manifest counts one entry more than the root.",
               with([](Manifest& m) { ++m.entry_count; }));
  c.not_opened("manifest_content_bytes_differ", "malformed",
               "The manifest has a smaller sum of sizes than the root.",
               with([](Manifest& m) { --m.content_bytes; }));
  const auto last = [](const std::function<void(Bytes&)>& edit) {
    Forgery base = two_entries();
    base.edit_last_plain = edit;
    return base;
  };
  c.not_opened("end_of_tar_short", "malformed", "Only one block of zeros ends the tar stream.",
               last([](Bytes& p) { p.resize(p.size() - 512); }));
  c.not_opened("end_of_tar_long", "malformed", "Three blocks of zeros end the tar stream.",
               last([](Bytes& p) { p.resize(p.size() + 512); }));
  c.not_opened("entry_behind_manifest", "malformed", "An entry is behind the manifest's signature.",
               last([](Bytes& p) {
                 p.resize(p.size() - 1024);
                 append_tar_file(
                     p, "evil", Bytes{1},
                     static_cast<std::uint64_t>(test_options().snapshot_time.unix_seconds()));
                 p.resize(p.size() + 1024);
               }));
  c.not_opened("manifest_without_signature", "malformed", "The manifest's signature is missing.",
               last([](Bytes& p) { p.erase(p.end() - 2048, p.end() - 1024); }));
  c.not_opened("manifest_of_another_name", "malformed",
               "The manifest has another name in the tar stream.", last([](Bytes& p) {
                 p[0] = 'M';
                 fit_tar_checksum(p, 0);
               }));
  c.not_opened("manifest_header_size_huge", "malformed",
               "The manifest's tar header has the largest size.", last([](Bytes& p) {
                 std::fill_n(p.begin() + 124, 11, std::uint8_t{'7'});
                 fit_tar_checksum(p, 0);
               }));
}

// A signature as older versions of minisign made it: over the message itself.
std::string legacy_signature(ByteView message, const std::string& comment) {
  const SigningKey key = test_key(1);
  const auto first = key.sign_raw(message);
  Bytes line{'E', 'd'}, both(first.begin(), first.end());
  line.insert(line.end(), key.public_key().id().begin(), key.public_key().id().end());
  line.insert(line.end(), first.begin(), first.end());
  both.insert(both.end(), comment.begin(), comment.end());
  return untrusted_line(key.public_key()) + to_base64(line) + "\ntrusted comment: " + comment +
         "\n" + to_base64(key.sign_raw(both)) + "\n";
}

void manifest_signatures(VectorCatalog& c) {
  const auto with = [](const std::function<void(std::string&)>& edit) {
    Forgery base = two_entries();
    base.edit_signature = edit;
    return base;
  };
  // Signs the manifest with another trusted comment.
  const auto with_comment = [](const std::string& comment) {
    Forgery base = two_entries();
    auto text = std::make_shared<std::string>();
    base.edit_manifest_text = [=](std::string& seen) { *text = seen; };
    base.edit_signature = [=](std::string& file) {
      std::string full = comment;
      if (const auto at = full.find('#'); at != std::string::npos)
        full.replace(at, 1, std::to_string(text->size()));
      file = test_key(1).sign(Blake2b::of(as_bytes(*text)), full);
    };
    return base;
  };
  const std::string id = test_options().archive_id.str();
  const auto refuse = [&](const std::string& name, const std::string& scenario, Forgery forgery) {
    c.not_opened("manifest_signature_" + name, "signature-invalid", scenario, std::move(forgery));
  };
  refuse("of_another_archive", "The manifest's signature was made for another archive.",
         with_comment("archive=3f1e9c52-7a7b-4c7e-9d43-0d2a8d1c5b11 size=# path=manifest.json"));
  refuse("of_another_size", "The manifest's trusted comment names another size.",
         with_comment("archive=" + id + " size=1 path=manifest.json"));
  refuse("of_another_path", "The manifest's trusted comment names another path.",
         with_comment("archive=" + id + " size=# path=manifest.jso"));
  refuse("in_another_order", "The manifest's trusted comment has its parts in another order.",
         with_comment("size=# archive=" + id + " path=manifest.json"));
  refuse("with_more", "The manifest's trusted comment says more.",
         with_comment("archive=" + id + " size=# path=manifest.json x=1"));
  refuse("of_nothing", "The manifest's signature file is empty.",
         with([](std::string& text) { text.clear(); }));
  refuse("with_another_comment", "The untrusted comment of the manifest's signature is another.",
         with(replaced("signature from oa-backup key", "signature from minisign key")));
  refuse("with_crlf", "The lines of the manifest's signature end with CR LF.",
         with([](std::string& text) {
           for (std::size_t at = 0; (at = text.find('\n', at)) != std::string::npos; at += 2)
             text.insert(at, "\r");
         }));
  refuse("with_another_line", "The manifest's signature has a fifth line.",
         with([](std::string& text) { text.append("more\n"); }));
  refuse("without_line_break", "The manifest's signature does not end with a line break.",
         with([](std::string& text) { text.pop_back(); }));
  Forgery legacy = two_entries();
  auto text = std::make_shared<std::string>();
  legacy.edit_manifest_text = [=](std::string& seen) { *text = seen; };
  legacy.edit_signature = [=](std::string& file) {
    file = legacy_signature(
        as_bytes(*text), trusted_comment(test_options().archive_id, kManifestPath, text->size()));
  };
  refuse("legacy", "The manifest's signature is of minisign's older kind, over the message itself.",
         legacy);
}

}  // namespace

std::vector<ArchiveVector> manifest_vectors() {
  VectorCatalog c(true);
  json_forms(c);
  values(c);
  other_documents(c);
  contradictions(c);
  manifest_signatures(c);
  const auto one = [](std::function<void(std::string&)> edit) {
    return Forgery{.entries = {{.path = "a"}}, .edit_manifest_text = std::move(edit)};
  };
  const std::string tenant = R"({"name":"Example","plan":"growth"})";
  c.not_opened("tenant_is_no_object", "malformed", "The manifest's tenant is a list.",
               one(replaced(tenant, "[]")));
  c.not_opened("options_are_no_object", "malformed", "The manifest's options are a number.",
               one(replaced(R"({"audit":true})", "5")));
  c.not_opened("probes_are_no_object", "malformed", "The manifest's probes are a string.",
               one(replaced(R"("probes":{})", R"("probes":"x")")));
  c.not_opened("minor_version_too_large", "malformed", "The minor version has more than 32 bits.",
               one(replaced(R"("minor":0)", R"("minor":4294967296)")));
  c.accepted("members_in_the_order_of_their_bytes",
             "Members past U+FFFF are sorted by UTF-8, where UTF-16 has another order.",
             one(replaced(tenant,
                          "{\"name\":\"Example\",\"plan\":\"growth\",\"\xef\xbf\xbd\":1,"
                          "\"\xf0\x90\x80\x80\":2}")));
  c.accepted(
      "integer_of_64_bits", "A carried integer has 64 bits and keeps its digits.",
      one(replaced(tenant, R"({"name":"Example","plan":"growth","z":18446744073709551615})")));
  c.not_opened("root_counts_without_pages", "malformed",
               "Root and manifest count an entry, and there is no page.",
               {.edit_root = [](IndexRoot& root) { root.entry_count = 1; },
                .edit_manifest = [](Manifest& manifest) { manifest.entry_count = 1; }});
  return c.take();
}

std::vector<ArchiveVector> signature_vectors() {
  VectorCatalog c(true);
  const auto with = [](const std::function<void(ForgedEntry&)>& edit) {
    Forgery base{.entries = {{.path = "a"}, {.path = "b"}}};
    edit(base.entries[1]);
    return base;
  };
  // The same length as what it replaces: the tar header fits.
  const auto edited = [&](const std::function<void(std::string&)>& edit) {
    return with([&](ForgedEntry& entry) { entry.edit_signature_file = edit; });
  };
  c.wrong_signature("signature_of_other_path", "An entry's signature was made for another path.",
                    with([](ForgedEntry& e) { e.signature_of = "a"; }));
  c.wrong_signature("signature_by_other_key", "An entry is signed by another key.",
                    with([](ForgedEntry& e) { e.signed_by_other = true; }));
  const auto signed_as = [](const ArchiveId& archive, std::uint64_t size) {
    return test_key(1).sign(Blake2b::of(ForgedEntry{}.content),
                            trusted_comment(archive, "b", size));
  };
  c.wrong_signature("signature_of_other_archive",
                    "An entry's signature is that of the same entry in another archive.",
                    with([&](ForgedEntry& e) {
                      e.signature_file =
                          signed_as(*ArchiveId::parse("3f1e9c52-7a7b-4c7e-9d43-0d2a8d1c5b11"), 3);
                    }));
  c.wrong_signature(
      "signature_of_other_size", "An entry's trusted comment names another size.",
      with([&](ForgedEntry& e) { e.signature_file = signed_as(test_options().archive_id, 4); }));
  c.wrong_signature("signature_of_other_content",
                    "An entry's signature is over other content of the same path and size.",
                    with([&](ForgedEntry& e) {
                      e.signature_file =
                          test_key(1).sign(Blake2b::of(Bytes{3, 2, 1}),
                                           trusted_comment(test_options().archive_id, "b", 3));
                    }));
  c.wrong_signature("signature_legacy",
                    "An entry's signature is of minisign's older kind, over the message itself.",
                    with([&](ForgedEntry& e) {
                      e.signature_file = legacy_signature(
                          e.content, trusted_comment(test_options().archive_id, "b", 3));
                    }));
  c.wrong_signature("signature_first_line",
                    "The untrusted comment of an entry's signature names another key.",
                    edited(replaced("key 01", "key 02")));
  c.wrong_signature("signature_second_line", "An entry's signature does not verify.",
                    edited([](std::string& text) { text[text.find('\n') + 50] ^= 1; }));
  c.wrong_signature("signature_third_line", "An entry's trusted comment was changed.",
                    edited(replaced("path=b", "path=c")));
  c.wrong_signature("signature_fourth_line",
                    "The signature of an entry's trusted comment does not verify.",
                    edited([](std::string& text) { text[text.size() - 40] ^= 1; }));
  Forgery exchanged{
      .entries = {{.path = "a", .content = {1, 1, 1}}, {.path = "b", .content = {2, 2, 2}}}};
  for (auto& entry : exchanged.entries) {
    const bool first = entry.path == "a";
    entry.signature_file =
        test_key(1).sign(Blake2b::of(exchanged.entries[first ? 1 : 0].content),
                         trusted_comment(test_options().archive_id, first ? "b" : "a", 3));
  }
  c.wrong_signature("signatures_exchanged", "Two entries have each other's signature.", exchanged);
  return c.take();
}

}  // namespace oa::archive
