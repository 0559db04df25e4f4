//! What a route is: its path, who may use it, what it takes and what it answers, in one place.
//!
//! The router, the check of scopes, the `Allow` of a method that is refused, `/openapi.json` and the test that tries
//! every route with hostile values are all made from the same [`Route`]s.

use actix_web::{
    FromRequest, Handler, Responder,
    http::Method,
    middleware::from_fn,
    web::{self, ServiceConfig},
};
use pitboss_providers::Code;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde_json::Value;

use super::conventions::Conventions;
use crate::access::{Resource, Right, Scope};

/// Who may use a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Caller {
    Anybody,
    /// By the token of a live session.
    Player,
    /// By a key that has this scope.
    Operator(Scope),
}

/// Writes the schema of a type.
pub type SchemaOf = fn(&mut SchemaGenerator) -> Schema;

/// What is sent with one status.
#[derive(Clone, Copy)]
pub struct Answer {
    pub status: u16,
    pub content_type: &'static str,
    /// `None`: any text of the content type, or nothing at all when that is empty.
    pub schema: Option<SchemaOf>,
}

/// One method of one path.
pub struct Route {
    pub method: Method,
    /// As the router has it: `/v1/players/{id}`.
    pub path: &'static str,
    pub caller: Caller,
    /// What it does, in a line.
    pub summary: &'static str,
    pub query: Option<SchemaOf>,
    pub body: Option<SchemaOf>,
    /// The body may be left out.
    pub body_is_optional: bool,
    pub answers: Vec<Answer>,
    /// Besides what any route of its kind may refuse with.
    pub refusals: &'static [Code],
    /// A body that is published, and carried out by a test.
    pub example: Option<Value>,
    /// Values of the path and of the query in the same request.
    pub example_values: Vec<(&'static str, &'static str)>,
    /// Whether it is in `/openapi.json`.
    pub is_published: bool,
    handler: actix_web::Route,
}

/// Reads, and changes nothing.
pub fn get<F, Args>(path: &'static str, caller: impl Into<Access>, handler: F) -> Route
where
    F: Handler<Args>,
    Args: FromRequest + 'static,
    F::Output: Responder + 'static,
{
    Route::new(Method::GET, path, caller.into(), web::get().to(handler))
}

/// Creates, or does.
pub fn post<F, Args>(path: &'static str, caller: impl Into<Access>, handler: F) -> Route
where
    F: Handler<Args>,
    Args: FromRequest + 'static,
    F::Output: Responder + 'static,
{
    Route::new(Method::POST, path, caller.into(), web::post().to(handler))
}

/// Changes the fields that are sent.
pub fn patch<F, Args>(path: &'static str, caller: impl Into<Access>, handler: F) -> Route
where
    F: Handler<Args>,
    Args: FromRequest + 'static,
    F::Output: Responder + 'static,
{
    Route::new(Method::PATCH, path, caller.into(), web::patch().to(handler))
}

/// Puts a whole thing in, or in the place of the one that is there.
pub fn put<F, Args>(path: &'static str, caller: impl Into<Access>, handler: F) -> Route
where
    F: Handler<Args>,
    Args: FromRequest + 'static,
    F::Output: Responder + 'static,
{
    Route::new(Method::PUT, path, caller.into(), web::put().to(handler))
}

/// Removes, or ends.
pub fn delete<F, Args>(path: &'static str, caller: impl Into<Access>, handler: F) -> Route
where
    F: Handler<Args>,
    Args: FromRequest + 'static,
    F::Output: Responder + 'static,
{
    Route::new(
        Method::DELETE,
        path,
        caller.into(),
        web::delete().to(handler),
    )
}

/// How a route is opened: a resource stands for operators with the right that the method needs.
#[derive(Debug, Clone, Copy)]
pub enum Access {
    Anybody,
    Player,
    Resource(Resource),
    /// For a method that does not tell: a POST that only looks.
    Scope(Scope),
}

impl From<Resource> for Access {
    fn from(resource: Resource) -> Self {
        Self::Resource(resource)
    }
}

impl From<Scope> for Access {
    fn from(scope: Scope) -> Self {
        Self::Scope(scope)
    }
}

impl Access {
    fn caller(self, method: &Method) -> Caller {
        match self {
            Self::Anybody => Caller::Anybody,
            Self::Player => Caller::Player,
            Self::Scope(scope) => Caller::Operator(scope),
            Self::Resource(resource) => {
                let right = if *method == Method::GET {
                    Right::Read
                } else {
                    Right::Write
                };
                Caller::Operator(Scope { resource, right })
            }
        }
    }
}

impl Route {
    fn new(method: Method, path: &'static str, access: Access, handler: actix_web::Route) -> Self {
        Self {
            caller: access.caller(&method),
            method,
            path,
            summary: "",
            query: None,
            body: None,
            body_is_optional: false,
            answers: Vec::new(),
            refusals: &[],
            example: None,
            example_values: Vec::new(),
            is_published: true,
            handler,
        }
    }

    /// What it does, in a line.
    pub fn summary(mut self, summary: &'static str) -> Self {
        self.summary = summary;
        self
    }

    /// The query string, a field each.
    pub fn query<T: JsonSchema>(mut self) -> Self {
        self.query = Some(schema_of::<T>);
        self
    }

    /// The JSON body.
    pub fn body<T: JsonSchema>(mut self) -> Self {
        self.body = Some(schema_of::<T>);
        self
    }

    /// The JSON body, which may be left out.
    pub fn optional_body<T: JsonSchema>(mut self) -> Self {
        self.body_is_optional = true;
        self.body::<T>()
    }

    /// A JSON answer.
    pub fn answers<T: JsonSchema>(mut self, status: u16) -> Self {
        self.answers.push(Answer {
            status,
            content_type: "application/json",
            schema: Some(schema_of::<T>),
        });
        self
    }

    /// An answer of another content type; `""`: none at all.
    pub fn answers_as(mut self, status: u16, content_type: &'static str) -> Self {
        self.answers.push(Answer {
            status,
            content_type,
            schema: None,
        });
        self
    }

    /// A body as it is published. A test carries it out: with the ids of other examples, it is in order.
    pub fn example(mut self, body: Value) -> Self {
        self.example = Some(body);
        self
    }

    /// The value that a part of the path or a field of the query has in the example. Ids of collections have one
    /// already.
    pub fn example_with(mut self, name: &'static str, value: &'static str) -> Self {
        self.example_values.push((name, value));
        self
    }

    /// What of a path or a query is in the example.
    pub fn example_value(&self, name: &str) -> Option<&'static str> {
        let mut values = self.example_values.iter();
        values
            .find(|(known, _)| *known == name)
            .map(|(_, value)| *value)
    }

    /// Serves pages and their parts, which are no part of the API.
    pub fn unpublished(mut self) -> Self {
        self.is_published = false;
        self
    }

    /// What it refuses with, besides what any route of its kind may refuse with.
    pub fn refuses(mut self, refusals: &'static [Code]) -> Self {
        self.refusals = refusals;
        self
    }
}

fn schema_of<T: JsonSchema>(generator: &mut SchemaGenerator) -> Schema {
    generator.subschema_for::<T>()
}

/// What is said of a path, for each of its methods: what the extractors and the conventions look up.
pub struct Gate(Vec<Rule>);

struct Rule {
    method: Method,
    caller: Caller,
    reads_query: bool,
}

impl Gate {
    /// Who may use it. `None`: the path has no such method.
    pub fn caller(&self, method: &Method) -> Option<Caller> {
        self.rule(method).map(|rule| rule.caller)
    }

    /// Whether somebody looks at the query. A method that is refused anyway is not refused for its query.
    pub fn reads_query(&self, method: &Method) -> bool {
        self.rule(method).is_none_or(|rule| rule.reads_query)
    }

    fn rule(&self, method: &Method) -> Option<&Rule> {
        self.0.iter().find(|rule| rule.method == method)
    }
}

/// Puts routes into the router, those of operators behind the gate. A method that a path does not have is refused with those that it has.
pub fn register(routes: Vec<Route>, service: &mut ServiceConfig) {
    let mut paths: Vec<(&'static str, Vec<Route>)> = Vec::new();
    for route in routes {
        match paths.iter_mut().find(|(path, _)| *path == route.path) {
            Some((_, methods)) => methods.push(route),
            None => paths.push((route.path, vec![route])),
        }
    }
    for (path, methods) in paths {
        let names: Vec<&str> = methods.iter().map(|route| route.method.as_str()).collect();
        let rules = methods.iter().map(|route| Rule {
            method: route.method.clone(),
            caller: route.caller,
            reads_query: route.query.is_some(),
        });
        let resource = super::resource(path, names.join(", ")).app_data(Gate(rules.collect()));
        let resource = methods
            .into_iter()
            .fold(resource, |resource, route| resource.route(route.handler));
        // The gate first: whoever may not enter learns nothing else.
        service.service(resource.wrap(from_fn(super::auth::gate)).wrap(Conventions));
    }
}
