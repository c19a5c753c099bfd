//! A copy of the stack, with ports, subnets and images of its own.

use crate::support::*;

pub(super) fn fresh() -> Stack {
    let stack = Stack::of("thrifting-buddy")
        .ports(".env.example", &[("HTTP_PORT_PUBLISHED", "page"), ("BACKEND_PORT_PUBLISHED", "backend")])
        .ports(".env.production.example", &[("HTTP_PORT_PUBLISHED", "http"), ("HTTPS_PORT_PUBLISHED", "https")]);
    let prefix = stack.project.name().to_owned();
    let program = stack.project.path("program");
    std::fs::create_dir_all(&program).unwrap();
    std::fs::copy(crate::support::program(), program.join("xtask-static")).unwrap();
    [".env.example", ".env.production.example"].into_iter().fold(stack, |stack, template| {
        let (public, internal) = (subnet(&stack, template, "public"), subnet(&stack, template, "internal"));
        stack
            .set(template, "FRONTEND_SUBNET", &public)
            .set(template, "BACKEND_SUBNET", &internal)
            .set(template, "IMAGE_PREFIX", &prefix)
            .set(template, "BACKUP_PROGRAM_DIR", "./program")
    })
}

/// A port is nobody else's while this runs, and so is the subnet that is numbered after it.
fn subnet(stack: &Stack, template: &str, network: &str) -> String {
    let [high, low] = stack.project.port(&format!("{template} {network}")).to_be_bytes();
    format!("10.{high}.{low}.0/24")
}
