//! Closing of connections while the server stops.

use actix_web::{
    body::MessageBody,
    dev::{ServiceRequest, ServiceResponse},
    http::ConnectionType,
    middleware::Next,
    web,
};

use crate::state::State;

/// Adds `Connection: close` to responses while the server stops: a client that reused the
/// connection could lose its next request.
pub async fn close_connections_while_stopping(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, actix_web::Error> {
    let state = request.app_data::<web::Data<State>>().cloned().expect("the app has the state");
    let mut response = next.call(request).await?;
    if state.is_stopping() {
        response.response_mut().head_mut().set_connection_type(ConnectionType::Close);
    }
    Ok(response)
}
