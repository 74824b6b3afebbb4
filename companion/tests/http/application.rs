//! `firstsight dev app`.

use crate::program::{Program, answer, client};
use serde_json::json;

#[tokio::test]
async fn the_application_answers_with_what_it_received() {
    let application = Program::start(&["dev", "app", "--listen", "127.0.0.1:0"]);
    let request = client().put(format!("{}/orders/7?full=1", application.url));
    let request = request.header("x-user-id", "jane").header("x-user-id", "john").body(vec![b'x'; 3 << 20]);
    let (status, seen) = answer(request).await;
    assert_eq!((status, &seen["method"], &seen["path"]), (200, &json!("PUT"), &json!("/orders/7?full=1")));
    let headers = seen["headers"].as_array().unwrap();
    let users: Vec<_> = headers.iter().filter(|header| header[0] == "x-user-id").collect();
    assert_eq!(users, [&json!(["x-user-id", "jane"]), &json!(["x-user-id", "john"])]);
}
