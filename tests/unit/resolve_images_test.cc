// The images of a recording: finding and building indexes, labels, Go programs, calls across images.
#include "resolve_test_support.h"

namespace hap::resolve::testing {

class ImagesTest : public ResolveTest {
 protected:
  ResolverOptions options() const {
    ResolverOptions options;
    options.cache = path("cache");
    options.roots = {path("root")};
    return options;
  }
};

TEST_F(ImagesTest, BuildsAMissingIndexOnceFromTheSearchRoot) {
  std::filesystem::create_directories(path("root/usr/bin"));
  std::filesystem::copy_file(program(), path("root/usr/bin/service"));
  const auto id = read_build_id(path("root/usr/bin/service"));
  ASSERT_TRUE(id);
  const std::vector<ImageRef> images{{ImageKind::user, *id, "/usr/bin/service"}};
  {
    const auto resolver = Resolver::open(options(), images);
    ASSERT_TRUE(resolver);
    ASSERT_TRUE(resolver->missing().empty()) << resolver->missing()[0].why.to_string();
    ASSERT_NE(resolver->index(0), nullptr);
    EXPECT_TRUE(std::filesystem::exists(index_path(path("cache"), *id)));
  }
  // From now on the file itself is not needed.
  std::filesystem::remove_all(path("root"));
  const auto again = Resolver::open(options(), images);
  ASSERT_TRUE(again);
  ASSERT_NE(again->index(0), nullptr);
  const auto range = again->index(0)->ranges(again->index(0)->find_functions("main").at(0)).at(0);
  Resolution resolution;
  again->resolve(0, range.begin, 4, resolution);
  EXPECT_EQ(resolution.label, "");
  EXPECT_EQ(resolution.range.functions.size(), 1u);
  again->resolve(0, 1, 4, resolution);
  EXPECT_EQ(resolution.label, "[unresolved]");
  EXPECT_EQ(resolution.range.unresolved_bytes, 4u);
}

TEST_F(ImagesTest, AKernelsAbsoluteNamesBecomeRelativeToItsSource) {
  // As in Debian 12: C files are named relative to the source, assembly is not.
  std::filesystem::create_directories(path("linux-6.1/arch/x86/entry"));
  std::filesystem::create_directories(path("linux-6.1/arch/x86/lib"));
  std::vector<std::string> link{"gcc", "-nostdlib", "-static", "-Wl,--build-id", "-o", path("vmlinux")};
  for (const auto& [file, function] : std::map<std::string, std::string>{
           {"arch/x86/entry/entry_64.S", "_start"}, {"arch/x86/lib/memcpy_64.S", "memcpy_erms"}}) {
    std::ofstream(path("linux-6.1/" + file))
        << ".text\n.globl " << function << "\n.type " << function << ",@function\n"
        << function << ":\nret\n.size " << function << ",.-" << function << "\n";
    const std::string object = path(function + ".o");
    ASSERT_TRUE(command({"gcc", "-g", "-c", path("linux-6.1/" + file), "-o", object}));
    link.push_back(object);
  }
  ASSERT_TRUE(command(link));
  const auto built = index(path("vmlinux"), ImageKind::kernel);
  ASSERT_TRUE(built);
  EXPECT_EQ(built->function(only_function(*built, "memcpy_erms")).file, "arch/x86/lib/memcpy_64.S");
  EXPECT_EQ(built->function(only_function(*built, "_start")).file, "arch/x86/entry/entry_64.S");
}

TEST_F(ImagesTest, AFileOfAnotherBuildIsNotUsed) {
  std::filesystem::create_directories(path("root/usr/bin"));
  std::filesystem::copy_file(program(), path("root/usr/bin/service"));
  const auto resolver = Resolver::open(
      options(), {{ImageKind::user, "0123456789abcdef0123456789abcdef01234567", "/usr/bin/service"}});
  ASSERT_TRUE(resolver);
  EXPECT_EQ(resolver->index(0), nullptr);
  ASSERT_EQ(resolver->missing().size(), 1u);
  EXPECT_NE(resolver->missing()[0].why.to_string().find("0123456789abcdef"), std::string::npos);
}

TEST_F(ImagesTest, EveryKindOfMemoryHasALabel) {
  const auto resolver = Resolver::open(options(), {{ImageKind::vdso, "", ""},
                                                   {ImageKind::bpf, "", ""},
                                                   {ImageKind::trampoline, "", ""},
                                                   {ImageKind::jit, "", ""},
                                                   {ImageKind::memfd, "", ""},
                                                   {ImageKind::other, "", ""}});
  ASSERT_TRUE(resolver);
  EXPECT_TRUE(resolver->missing().empty());
  const char* labels[] = {"[vdso]", "[bpf]", "[trampoline]", "[jit]", "[memfd]", "[unresolved]"};
  Resolution resolution;
  for (std::size_t image = 0; image < 6; ++image) {
    resolver->resolve(image, 0x1000, 32, resolution);
    EXPECT_EQ(resolution.label, labels[image]);
    EXPECT_EQ(resolution.range.unresolved_bytes, 32u);
  }
}

TEST_F(ImagesTest, ADamagedIndexInTheCacheIsBuiltAnew) {
  std::filesystem::create_directories(path("root/usr/bin"));
  std::filesystem::copy_file(program(), path("root/usr/bin/service"));
  const auto id = read_build_id(path("root/usr/bin/service"));
  ASSERT_TRUE(id);
  const std::vector<ImageRef> images{{ImageKind::user, *id, "/usr/bin/service"}};
  ASSERT_TRUE(Resolver::open(options(), images));
  std::filesystem::resize_file(index_path(path("cache"), *id), 100);
  const auto resolver = Resolver::open(options(), images);
  ASSERT_TRUE(resolver);
  EXPECT_NE(resolver->index(0), nullptr);
  // Without the file the damage is what is reported.
  std::filesystem::resize_file(index_path(path("cache"), *id), 100);
  auto only_cache = options();
  only_cache.build_missing = false;
  const auto damaged = Resolver::open(only_cache, images);
  ASSERT_TRUE(damaged);
  ASSERT_EQ(damaged->missing().size(), 1u);
  EXPECT_EQ(damaged->missing()[0].why.kind(), ErrorKind::corrupt);
}

TEST_F(ImagesTest, ModulesAreFoundByTheNameThatTheKernelGivesThem) {
  std::filesystem::create_directories(path("root/usr/lib/debug/lib/modules/6.12/kernel/net"));
  const std::string module = path("root/usr/lib/debug/lib/modules/6.12/kernel/net/vhost-net.ko");
  std::filesystem::copy_file(object("scopes.c"), module);
  const auto id = read_build_id(module);
  ASSERT_TRUE(id);
  const auto resolver = Resolver::open(options(), {{ImageKind::module, *id, "vhost_net"}});
  ASSERT_TRUE(resolver);
  ASSERT_NE(resolver->index(0), nullptr);
  EXPECT_EQ(resolver->index(0)->image_name(), "vhost_net");
}

TEST_F(ImagesTest, GoProgramWithoutSymbolsHasNamesFilesAndLines) {
  ASSERT_TRUE(command({"gcc", "-nostdlib", "-static", "-s", fixture("go_table.s"), "-o", path("go")}));
  const auto built = index(path("go"), ImageKind::user);
  ASSERT_TRUE(built);
  const FunctionId id = only_function(*built, "main.(*T).second");
  const auto second = built->function(id);
  EXPECT_EQ(second.file, "example.org/prog/main.go");
  EXPECT_EQ(second.line, 19u);
  EXPECT_EQ(second.end_line, 22u);
  EXPECT_EQ(second.size, 4u);
  const std::vector<std::string> expected{"main.go:20 main.(*T).second", "main.go:22 main.(*T).second",
                                          "other.go:5 main.(*T).second", "other.go:6 main.(*T).second"};
  EXPECT_EQ(lines_of(*built, id), expected);
  EXPECT_EQ(built->function(only_function(*built, "main.first")).end_line, 12u);
}

TEST_F(ImagesTest, CallsAreFollowedAcrossImagesButPointersAreNot) {
  const auto caller = index(object("caller.s", {}), ImageKind::module);
  const auto callee = index(object("callee.s", {}), ImageKind::module);
  ASSERT_TRUE(caller && callee);
  const auto reached = reachable_functions({&*caller, &*callee}, {{0, only_function(*caller, "entry")}});
  std::vector<std::string> names;
  const Index* images[] = {&*caller, &*callee};
  for (const auto& function : reached)
    names.push_back(std::string(images[function.image]->function(function.function).name));
  std::sort(names.begin(), names.end());
  // Tail calls and conditional jumps count; the call through a register leads nowhere; __fentry__ is patched
  // away.
  EXPECT_EQ(names, (std::vector<std::string>{"deeper", "entry", "exported", "helper", "tail"}));
  EXPECT_EQ(caller->imported_callees(only_function(*caller, "entry")),
            std::vector<std::string_view>{"exported"});
  // An image that is not there is left out.
  EXPECT_EQ(reachable_functions({&*caller, nullptr}, {{0, only_function(*caller, "entry")}}).size(), 3u);
}

}  // namespace hap::resolve::testing
